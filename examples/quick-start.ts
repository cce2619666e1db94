import { Bus, memory, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';

class Mailer {
  async send(to: string) {
    console.log(`welcome, ${to}`);
  }
}

@Queue({ name: 'mailer.welcome-email' })
@Handles('email.welcome')
@Retry({ tries: 4, backoff: ['1s', '10s', '1m'] })
class SendWelcomeEmail {
  static inject = [Mailer];
  constructor(private readonly mailer: Mailer) {}

  handle({ to }: { to: string }) {
    return this.mailer.send(to);
  }
}

const { AMQP_URL: url } = process.env;
const transport = url ? rabbitmq({ url }) : memory();
const bus = new Bus({ service: 'mailer', transport, handlers: handlers([SendWelcomeEmail]) });
const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));

await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' }); // resolves with the broker's confirm
await handled;
await bus.stop();
