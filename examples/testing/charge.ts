import 'reflect-metadata';
import type { MessageContext } from 'hopline';
import { Handles, Queue } from 'hopline/decorators';

/** The bank, an external system: its state survives a crash of the process. */
export class Bank {
  readonly charges: { readonly order: string; readonly key: string }[] = [];

  /** A repeated call with the same key does nothing. */
  async charge(order: string, key: string): Promise<void> {
    if (!this.charges.some((charge) => charge.key === key)) this.charges.push({ order, key });
  }
}

/** Remembers what it has done, but only as long as its process lives. */
@Queue({ name: 'careless' })
export class CarelessCharge {
  private readonly done = new Set<string>();

  constructor(private readonly bank: Bank) {}

  @Handles('order.placed')
  async onPlaced({ order }: { order: string }, context: MessageContext): Promise<void> {
    if (this.done.has(order)) return;
    await this.bank.charge(order, crypto.randomUUID());
    this.done.add(order);
    await context.publish('order.charged', { order });
  }
}

/** Lets the bank recognise a repeated charge, and always publishes that the order is charged. */
@Queue({ name: 'careful' })
export class CarefulCharge {
  constructor(private readonly bank: Bank) {}

  @Handles('order.placed')
  async onPlaced({ order }: { order: string }, context: MessageContext): Promise<void> {
    await this.bank.charge(order, `charge-${order}`);
    await context.publish('order.charged', { order });
  }
}
