import 'reflect-metadata';
import { Bus, memory } from 'hopline';
import { Handles, handlers, Queue } from 'hopline/decorators';
import { container, type InjectionToken } from 'tsyringe';

abstract class Mailer {
  abstract send(to: string): Promise<void>;
}

class SmtpMailer extends Mailer {
  static inject = ['smtp.host'];

  constructor(private readonly host: string) {
    super();
  }

  async send(to: string): Promise<void> {
    console.log(`${this.host}: welcome, ${to}`);
  }
}

@Queue({ name: 'mailer.welcome-email' })
@Handles('email.welcome')
class SendWelcomeEmail {
  static inject = [Mailer];

  constructor(private readonly mailer: Mailer) {}

  async handle({ to }: { to: string }): Promise<void> {
    await this.mailer.send(to);
  }
}

container.register(Mailer as InjectionToken<Mailer>, { useClass: SmtpMailer });
container.registerInstance('smtp.host', 'smtp.example.org');

const bus = new Bus({ service: 'mailer', transport: memory(), handlers: handlers([SendWelcomeEmail]) });
const handled = new Promise<void>((done) => {
  bus.on('handler.succeeded', () => done());
});

await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' });
await handled;
await bus.stop();
