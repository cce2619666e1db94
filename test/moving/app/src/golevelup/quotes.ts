import { MessageHandlerErrorBehavior, RabbitPayload, RabbitRPC } from '@golevelup/nestjs-rabbitmq';
import { Injectable } from '@nestjs/common';
import { Account } from '../account.js';
import type { Quote, QuoteRequest } from '../shop.js';

@Injectable()
export class Quotes {
  constructor(private readonly account: Account) {}

  @RabbitRPC({
    exchange: 'shop',
    routingKey: 'quote.get',
    queue: 'quotes',
    errorBehavior: MessageHandlerErrorBehavior.ACK,
  })
  quote(@RabbitPayload() { id, cents }: QuoteRequest): Quote {
    this.account.handled('quotes', 'golevelup', id);
    if (cents < 0) throw new RangeError('nothing costs less than nothing');
    return { id, total: cents * 2 };
  }
}
