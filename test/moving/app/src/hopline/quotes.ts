import { Injectable } from '@nestjs/common';
import { Queue, Replies } from 'hopline/decorators';
import { Account } from '../account.js';
import { GetQuote, type Quote, type QuoteRequest } from '../shop.js';

@Injectable()
@Queue({ name: 'shop.quotes', exchange: process.env.QUOTES_EXCHANGE ?? 'shop' })
export class Quotes {
  constructor(private readonly account: Account) {}

  @Replies(GetQuote)
  quote({ id, cents }: QuoteRequest): Quote {
    this.account.handled('quotes', 'hopline', id);
    if (cents < 0) throw new RangeError('nothing costs less than nothing');
    return { id, total: cents * 2 };
  }
}
