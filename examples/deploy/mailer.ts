import 'reflect-metadata';
import { Bus, type MessageContext, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';

/*
 * A service for `hopline work`: the module exports its bus, and starts nothing. Name, queues and bindings are
 * the same in each process and on each machine.
 */

@Queue({ name: 'mailer.welcome', concurrency: 20 })
@Handles('user.registered')
@Retry({ tries: 5, backoff: ['30s', '1m', '2m', '4m'] })
class SendWelcome {
  handle({ email }: { readonly email: string }, { log }: MessageContext): void {
    log.info({ email }, 'welcome');
  }
}

@Queue({ name: 'mailer.digest', concurrency: 2 })
@Handles('digest.due')
class SendDigests {
  /** Minutes of work: the handler saves its progress when the worker is to stop, and goes on elsewhere. */
  async handle(
    digest: { readonly users: readonly string[]; readonly from?: number },
    context: MessageContext,
  ) {
    for (let place = digest.from ?? 0; place < digest.users.length; place += 1) {
      if (context.shouldStop) {
        await context.send('digest.due', { ...digest, from: place });
        return;
      }
      context.log.info({ user: digest.users[place] }, 'digest');
    }
  }
}

export const bus = new Bus({
  service: 'mailer',
  transport: rabbitmq({ url: process.env.AMQP_URL }),
  handlers: handlers([SendWelcome, SendDigests]),
});
