import { existsSync } from 'node:fs';
import { Bus, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';
import { type Order, orderPlaced } from './order-placed.js';

/** In place of a mail server, which is down while there is a file called `down`. */
class MailServer {
  async send(to: string, text: string) {
    if (existsSync('down')) throw new Error('the mail server does not answer');
    console.log(`to ${to}: ${text}`);
  }
}

@Queue({ name: 'mailer.receipts' })
@Handles(orderPlaced)
@Retry({ tries: 3, backoff: '5s' })
class SendReceipt {
  static inject = [MailServer];
  constructor(private readonly mailServer: MailServer) {}

  async handle({ number, email }: Order) {
    await this.mailServer.send(email, `we have your order ${number}`);
  }
}

export const bus = new Bus({
  service: 'mailer',
  transport: rabbitmq({ url: process.env.AMQP_URL }),
  handlers: handlers([SendReceipt]),
});
