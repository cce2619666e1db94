import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';
import { Injectable } from '@nestjs/common';
import type { Order, Quote, QuoteRequest } from '../shop.js';

@Injectable()
export class Checkout {
  constructor(private readonly amqp: AmqpConnection) {}

  async place(order: Order): Promise<void> {
    await this.amqp.publish('shop', 'order.placed', order, { persistent: true });
  }

  quote(payload: QuoteRequest): Promise<Quote> {
    return this.amqp.request<Quote>({ exchange: 'shop', routingKey: 'quote.get', payload, timeout: 10_000 });
  }
}
