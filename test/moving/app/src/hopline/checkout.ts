import { Injectable } from '@nestjs/common';
import { Bus } from 'hopline';
import { GetQuote, type Order, type Quote, type QuoteRequest } from '../shop.js';

@Injectable()
export class Checkout {
  constructor(private readonly bus: Bus) {}

  async place(order: Order): Promise<void> {
    await this.bus.publish('order.placed', order, { exchange: 'shop' });
  }

  quote(payload: QuoteRequest): Promise<Quote> {
    return this.bus.request(GetQuote, payload, { exchange: 'shop', timeout: '10s' });
  }
}
