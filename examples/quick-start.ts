import 'reflect-metadata';
import { Bus, memory, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';

class Mailer {
  async send(to: string): Promise<void> {
    console.log(`welcome, ${to}`);
  }
}

@Queue({ name: 'mailer.welcome-email' }) // else its name is the class's, which a bundler may change
@Handles('email.welcome')
@Retry({ tries: 5, backoff: ['1s', '4s', '16s', '1m'] })
class SendWelcomeEmail {
  constructor(private readonly mailer: Mailer) {}

  async handle({ to }: { to: string }): Promise<void> {
    await this.mailer.send(to);
  }
}

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'mailer', transport, handlers: handlers([SendWelcomeEmail]) });
const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));

await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' }); // resolves with the broker's confirm
await handled;
await bus.stop();
