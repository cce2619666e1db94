import { MessageHandlerErrorBehavior, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq';
import { Injectable } from '@nestjs/common';
import type { ConsumeMessage } from 'amqplib';
import type { MessageContext } from 'hopline';
import { Handles, Queue } from 'hopline/decorators';
import { Account } from '../account.js';
import type { Order } from '../shop.js';

@Injectable()
@Queue({ name: 'shop.billing', exchange: 'billing.moving' })
export class Billing {
  constructor(private readonly account: Account) {}

  @RabbitSubscribe({ queue: 'billing', errorBehavior: MessageHandlerErrorBehavior.NACK })
  @Handles(['order.placed', 'order.*.refunded'])
  bill(order: Order, from: ConsumeMessage | MessageContext): void {
    this.account.handled('billing', 'fields' in from ? 'golevelup' : 'hopline', order.id);
  }
}
