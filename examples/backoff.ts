import { Bus, type Duration, memory } from 'hopline';

class Throttled extends Error {
  constructor(readonly retryAfterMs: number) {
    super('too many requests');
  }
}

/**
 * @param attempt number of the failed attempt, starting at 1
 * @param error the value that the handler threw
 * @returns the pause before the next attempt
 */
function backoff(attempt: number, error: unknown): Duration {
  if (error instanceof Throttled) return error.retryAfterMs; // the pause that the server asks for
  return `${attempt * 100}ms`;
}

const bus = new Bus({ service: 'billing', transport: memory() });
bus.handle(
  'invoice.due',
  (_invoice, { attempt }) => {
    if (attempt === 1) throw new Throttled(300);
    if (attempt === 2) throw new Error('no answer');
  },
  { queue: 'billing.invoices', retry: { tries: 5, backoff } },
);
bus.on('message.retried', ({ attempt, delayMs }) =>
  console.log(`attempt ${attempt} failed: again in ${delayMs} ms`),
);
const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));

await bus.start();
await bus.publish('invoice.due', { invoice: 'I-1' });
await handled;
await bus.stop();
