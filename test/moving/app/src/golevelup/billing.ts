import { MessageHandlerErrorBehavior, RabbitPayload, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
import { Injectable } from '@nestjs/common';
import { Account } from '../account.js';
import type { Order } from '../shop.js';

@Injectable()
export class Billing {
  constructor(private readonly account: Account) {}

  @RabbitSubscribe({
    exchange: 'shop',
    routingKey: ['order.placed', 'order.*.refunded'],
    queue: 'billing',
    errorBehavior: MessageHandlerErrorBehavior.NACK,
  })
  bill(@RabbitPayload() order: Order): void {
    this.account.handled('billing', 'golevelup', order.id);
  }
}
