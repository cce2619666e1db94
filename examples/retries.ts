import 'reflect-metadata';
import { Bus, type MessageContext, memory, UnrecoverableError } from 'hopline';
import { Handles, handlers, Queue, Retry, Timeout } from 'hopline/decorators';

interface Charge {
  readonly customer: string;
  readonly validUntil: string;
}

class Busy extends Error {}
class Duplicate extends Error {}

/** An unreliable payment provider. */
class Provider {
  private calls = 0;

  async charge({ customer }: Charge, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls += 1;
    if (customer === 'blocked') throw new UnrecoverableError('the card was reported stolen');
    if (customer === 'twice') throw new Duplicate('charged before');
    if (this.calls === 1) throw new Busy('try again in a moment');
  }
}

@Queue({ name: 'billing.charges' })
@Handles('charge.due')
@Timeout('10s')
@Retry({
  tries: 8,
  backoff: { exponential: { first: '4s', factor: 4, max: '1h' } },
  jitter: 0.2,
  retryUntil: ({ validUntil }: Charge) => new Date(validUntil),
  on: [
    { error: Busy, then: 'retry', backoff: '100ms' },
    { error: Duplicate, then: 'discard' },
  ],
})
class ChargeCustomer {
  constructor(private readonly provider: Provider) {}

  async handle(charge: Charge, { signal, attempt }: MessageContext): Promise<void> {
    await this.provider.charge(charge, signal);
    console.log(`charged ${charge.customer} in attempt ${attempt}`);
  }

  /** Runs once when a message is given up, before its dead letter is written. */
  async failed(error: Error, { customer }: Charge): Promise<void> {
    console.log(`gave up ${customer}: ${error.message}`);
  }
}

const bus = new Bus({ service: 'billing', transport: memory(), handlers: handlers([ChargeCustomer]) });
bus.on('message.discarded', ({ messageId }) => console.log(`dropped ${messageId}`));
let open = 3;
const ended = new Promise<void>((resolve) => {
  for (const event of ['handler.succeeded', 'message.deadLettered', 'message.discarded'] as const) {
    bus.on(event, () => {
      open -= 1;
      if (open === 0) resolve();
    });
  }
});

await bus.start();
const validUntil = new Date(Date.now() + 86_400_000).toISOString();
for (const customer of ['ada', 'twice', 'blocked'])
  await bus.send('charge.due', { customer, validUntil }, { messageId: `charge of ${customer}` });
await ended;
await bus.stop();
