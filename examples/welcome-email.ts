import 'reflect-metadata';
import { Bus, defineMessage, type MessageContext, memory, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';
import { ManualClock } from 'hopline/testing';

interface User {
  readonly userId: number;
  readonly name: string;
}

const registered = defineMessage<User>('user.registered');
const left = defineMessage<User>('user.left');
const welcome = defineMessage<User>('email.welcome');

class Users {
  private readonly ids = new Set<number>();

  add = (id: number) => this.ids.add(id);
  remove = (id: number) => this.ids.delete(id);
  has = (id: number) => this.ids.has(id);
}

class Mailer {
  private calls = 0;

  async send(name: string, text: string): Promise<void> {
    this.calls += 1;
    if (this.calls === 1) throw new Error('the mail server is busy');
    console.log(`to ${name}: ${text}`);
  }
}

const users = new Users();

@Queue({ name: 'mailer.accounts' })
class Accounts {
  /** The broker keeps the message for ten minutes; no process has to live that long. */
  @Handles(registered)
  async onRegistered(user: User, context: MessageContext): Promise<void> {
    users.add(user.userId);
    await context.send(welcome, user, { delay: '10m' });
  }

  @Handles(left)
  onLeft({ userId }: User): void {
    users.remove(userId);
  }
}

@Queue({ name: 'mailer.welcome-email' })
@Handles(welcome)
@Retry({ tries: 5, backoff: ['30s', '2m', '8m'] })
class SendWelcomeEmail {
  constructor(private readonly mailer: Mailer) {}

  async handle({ userId, name }: User, context: MessageContext): Promise<void> {
    if (!users.has(userId))
      context.discard(); // deleted within the ten minutes
    else await this.mailer.send(name, 'Welcome!');
  }
}

const { AMQP_URL } = process.env;
// In memory the ten minutes pass at once.
const clock = new ManualClock();
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory({ clock });
const bus = new Bus({ service: 'mailer', transport, handlers: handlers([Accounts, SendWelcomeEmail]) });

bus.on('message.retried', ({ delayMs, error }) =>
  console.log(`${(error as Error).message}: again in ${delayMs / 1_000} s`),
);
bus.on('message.discarded', ({ routingKey }) => console.log(`${routingKey}: not wanted any more`));
let open = 2;
const ended = new Promise<void>((resolve) => {
  const end = ({ routingKey }: { routingKey: string }) => {
    if (routingKey === welcome.key) open -= 1;
    if (open === 0) resolve();
  };
  bus.on('handler.succeeded', end);
  bus.on('message.discarded', end);
});

await bus.start();
const [ada, bob] = [
  { userId: 1, name: 'Ada' },
  { userId: 2, name: 'Bob' },
];
await bus.publish(registered, ada);
await bus.publish(registered, bob);
if (!AMQP_URL) await clock.advance(60_000);
await bus.publish(left, bob);
if (!AMQP_URL) await clock.advance(15 * 60_000);
await ended;
await bus.stop();
