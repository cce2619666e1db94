import { Bus, type Middleware, memory, rabbitmq } from 'hopline';

const lines: string[] = [];

/** A line for each attempt, however it has ended. Behind next(), an error would be logged and change nothing. */
const auditLog: Middleware = {
  async consume({ messageId, handler = 'no handler', attempt }, next) {
    const { outcome, reason = '', delayMs } = await next();
    const when = delayMs === undefined ? '' : `for ${delayMs} ms`;
    lines.push([messageId, handler, `attempt ${attempt}`, outcome, reason, when].filter(Boolean).join(' '));
  },
};

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'payments', transport, middleware: [auditLog], failureLog: false });

bus.handle(
  'payment.due',
  ({ amount }: { amount: number }, { attempt }) => {
    if (amount < 0) throw new RangeError('an amount below zero');
    if (attempt === 1) throw new Error('the bank is away');
  },
  {
    name: 'Pay',
    idempotent: {},
    retry: { backoff: '100ms', on: [{ error: RangeError, then: 'dead-letter' }] },
  },
);

const ended = (count: number) =>
  new Promise<void>((resolve) => {
    const look = () => (lines.length >= count ? resolve() : void setTimeout(look, 10));
    look();
  });

await bus.start();
await bus.publish('payment.due', { amount: 10 }, { messageId: 'first' });
await ended(2);
await bus.publish('payment.due', { amount: 10 }, { messageId: 'first' });
await ended(3);
await bus.publish('payment.due', { amount: -1 }, { messageId: 'second' });
await ended(4);
console.log(lines.join('\n'));
await bus.stop();
