import 'reflect-metadata';
import { Bus, type MessageContext, memory, rabbitmq, UnrecoverableError } from 'hopline';
import { Handles, handlers, Queue, Retry, Timeout } from 'hopline/decorators';
import { ManualClock } from 'hopline/testing';

interface Payment {
  readonly order: string;
  /** No charge is made after this moment. */
  readonly validUntil: string;
}

/** A payment provider that is away for a while. Each charge has a key, so that repeated calls charge once. */
class Provider {
  private readonly calls = new Map<string, number>();

  async charge(order: string, _key: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const calls = (this.calls.get(order) ?? 0) + 1;
    this.calls.set(order, calls);
    if (order === 'stolen') throw new UnrecoverableError('the card was reported stolen');
    if (order === 'late' || calls < 4) throw new Error('no answer from the provider');
  }
}

@Queue({ name: 'shop.payments' })
@Handles('payment.due')
@Timeout('10s')
@Retry({
  tries: 10,
  backoff: ['30s', '60s', '120s'], // the last repeats
  retryUntil: ({ validUntil }: Payment) => new Date(validUntil),
})
class ChargeOrder {
  constructor(private readonly provider: Provider) {}

  async handle({ order }: Payment, { messageId, signal, attempt }: MessageContext): Promise<void> {
    await this.provider.charge(order, `${messageId}`, signal);
    console.log(`${order}: charged in attempt ${attempt}`);
  }

  /** Runs once, before the dead letter is written. */
  failed(error: Error, { order }: Payment, { attempt }: MessageContext): void {
    console.log(`${order}: given up after attempt ${attempt}, ${error.message}`);
  }
}

const { AMQP_URL } = process.env;
// In memory the minutes between the attempts pass at once.
const clock = new ManualClock(Date.now());
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory({ clock });
const bus = new Bus({ service: 'shop', transport, handlers: handlers([ChargeOrder]) });

bus.on('message.retried', ({ messageId, delayMs }) =>
  console.log(`${messageId}: again in ${delayMs / 1_000} s`),
);
bus.on('message.deadLettered', ({ messageId, reason }) =>
  console.log(`${messageId}: dead letter, ${reason}`),
);
let open = 3;
const ended = new Promise<void>((resolve) => {
  for (const event of ['handler.succeeded', 'message.deadLettered'] as const)
    bus.on(event, () => {
      open -= 1;
      if (open === 0) resolve();
    });
});

await bus.start();
const minutes = (count: number) => new Date(Date.now() + count * 60_000).toISOString();
for (const [order, validFor] of [
  ['books', 60],
  ['late', 2],
  ['stolen', 60],
] as const)
  await bus.send('payment.due', { order, validUntil: minutes(validFor) }, { messageId: order });
if (!AMQP_URL) await clock.advance(10 * 60_000);
await ended;
await bus.stop();
