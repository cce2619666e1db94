import { defineMessage } from 'hopline';

export interface Order {
  readonly number: string;
  readonly email: string;
}

export const orderPlaced = defineMessage<Order>('order.placed');
