import { Injectable } from '@nestjs/common';
import { Handles, Queue } from 'hopline/decorators';
import { Account } from '../account.js';
import type { Order } from '../shop.js';

@Injectable()
@Queue({ name: 'shop.billing', exchange: 'shop' })
export class Billing {
  constructor(private readonly account: Account) {}

  @Handles(['order.placed', 'order.*.refunded'])
  bill(order: Order): void {
    this.account.handled('billing', 'hopline', order.id);
  }
}
