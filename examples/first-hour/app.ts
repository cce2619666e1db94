import 'reflect-metadata';
import { Bus, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';

class Mailer {
  async send(to: string): Promise<void> {
    console.log(`welcome, ${to.trim()}`);
  }
}

@Queue({ name: 'mailer.welcome-email' })
@Handles('email.welcome')
@Retry({ tries: 3, backoff: '500ms' })
class SendWelcomeEmail {
  constructor(private readonly mailer: Mailer) {}

  async handle({ to }: { to: string }): Promise<void> {
    await this.mailer.send(to);
  }
}

export const bus = new Bus({
  service: 'mailer',
  transport: rabbitmq({ url: process.env.AMQP_URL }),
  handlers: handlers([SendWelcomeEmail]),
});
