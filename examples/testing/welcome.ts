import 'reflect-metadata';
import { type MessageContext, UnrecoverableError } from 'hopline';
import { Handles, Queue, Retry } from 'hopline/decorators';

export class NoSuchAddress extends Error {}

export class Mailer {
  async send(_to: string, _text: string): Promise<void> {
    throw new Error('this would talk to a mail server');
  }
}

@Queue({ name: 'mailer.welcome-email' })
@Handles('email.welcome')
@Retry({ tries: 4, backoff: ['30s', '2m', '8m'] })
export class SendWelcomeEmail {
  constructor(private readonly mailer: Mailer) {}

  async handle({ to }: { to: string }, context: MessageContext): Promise<void> {
    try {
      await this.mailer.send(to, 'Welcome!');
    } catch (error) {
      if (error instanceof NoSuchAddress) throw new UnrecoverableError('no such address', { cause: error });
      throw error;
    }
    await context.publish('email.sent', { to });
  }
}
