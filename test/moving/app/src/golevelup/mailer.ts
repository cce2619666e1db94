import { Nack, RabbitHeader, RabbitPayload, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
import { Injectable } from '@nestjs/common';
import { Account } from '../account.js';
import type { Order } from '../shop.js';

@Injectable()
export class Mailer {
  constructor(private readonly account: Account) {}

  @RabbitSubscribe({
    exchange: 'shop',
    routingKey: 'order.placed',
    queue: 'mailer',
    queueOptions: { channel: 'mails', deadLetterExchange: 'failed' },
    errorHandler: (channel, message) => channel.nack(message, false, false),
  })
  receipt(@RabbitPayload() order: Order, @RabbitHeader('silent') silent?: boolean): Nack | undefined {
    if (order.cents < 0) return new Nack();
    if (!silent) this.account.handled('mailer', 'golevelup', order.id);
    return undefined;
  }
}
