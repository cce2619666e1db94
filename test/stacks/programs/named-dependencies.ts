import { Handles, handlers, Queue, Retry } from 'hopline/decorators';
import type { Order } from './order.js';
import { lines, service } from './run.js';

class Mailer {
  send(to: string): void {
    lines.push(`welcome, ${to}`);
  }
}

class Ledger {
  static inject = [Mailer];

  constructor(private readonly mailer: Mailer) {}

  bill(order: Order): void {
    this.mailer.send(`billed ${order.id}`);
  }
}

@Queue({ name: `${service}.welcome` })
@Handles('email.welcome')
class SendWelcomeEmail {
  static inject = [Mailer];

  constructor(private readonly mailer: Mailer) {}

  handle({ to }: { to: string }): void {
    this.mailer.send(to);
  }
}

@Queue({ name: `${service}.billing` })
class Billing {
  static inject = [Ledger];

  private attempts = 0;

  constructor(private readonly ledger: Ledger) {}

  @Handles('order.placed')
  @Retry({ tries: 2, backoff: '50ms' })
  async onPlaced(order: Order): Promise<void> {
    this.attempts += 1;
    if (this.attempts === 1) throw new Error('the first attempt fails');
    this.ledger.bill(order);
  }

  @Handles('order.cancelled')
  onCancelled({ id }: Order): void {
    lines.push(`cancelled ${id}`);
  }
}

export const classes = [SendWelcomeEmail, Billing];
export const all = handlers(classes);
