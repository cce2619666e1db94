import { defineRequest } from 'hopline';

/** What the shop's messages say. */
export interface Order {
  readonly id: number;
  readonly cents: number;
}

export interface QuoteRequest {
  readonly id: number;
  readonly cents: number;
}

export interface Quote {
  readonly id: number;
  readonly total: number;
}

export const GetQuote = defineRequest<QuoteRequest, Quote>('quote.get');

export type Library = 'golevelup' | 'hopline';
