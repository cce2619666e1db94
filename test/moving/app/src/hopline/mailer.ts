import { Injectable } from '@nestjs/common';
import type { MessageContext } from 'hopline';
import { Handles, Queue } from 'hopline/decorators';
import { Account } from '../account.js';
import type { Order } from '../shop.js';

@Injectable()
@Queue({ name: 'shop.mailer', exchange: process.env.MAILER_EXCHANGE ?? 'shop', concurrency: 2 })
export class Mailer {
  constructor(private readonly account: Account) {}

  @Handles('order.placed')
  receipt(order: Order, context: MessageContext): void {
    if (order.cents < 0) context.fail('no receipt for less than nothing');
    else if (!context.headers.silent) this.account.handled('mailer', 'hopline', order.id);
  }
}
