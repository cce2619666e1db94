import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Channel, connect } from 'amqplib';

/*
 * Moves what a queue gets to another queue, so that each message is in exactly one of them:
 *   node move-queue.js switch --exchange shop --key order.placed --key 'order.*.refunded' --from billing --to shop.billing
 *   node move-queue.js finish --exchange shop --key order.placed --key 'order.*.refunded' --from billing --to shop.billing
 * A step that was interrupted is done again from its begin.
 */

interface Move {
  readonly exchange: string;
  readonly keys: readonly string[];
  /** The queue that gets the messages now. */
  readonly from: string;
  /** The queue that shall get them; its handler's exchange is `<from>.moving` meanwhile. */
  readonly to: string;
}

const namesOf = ({ from }: Move) => ({ before: `${from}.before`, moving: `${from}.moving` });

/**
 * An exchange comes between the old exchange and the old queue; its alternate exchange leads to the new queue. With the
 * one binding that is taken away at the end all goes there: a message meets that binding, or the alternate exchange.
 */
async function switchOver(channel: Channel, move: Move): Promise<void> {
  const { exchange, keys, from, to } = move;
  const { before, moving } = namesOf(move);
  const { consumerCount } = await channel.checkQueue(to);
  if (consumerCount === 0) throw new Error(`nobody consumes ${to} yet`);
  await channel.checkExchange(moving); // the bus that consumes the new queue has declared it
  for (const key of keys) await channel.bindQueue(to, moving, key);
  await channel.assertExchange(before, 'fanout', { alternateExchange: moving });
  await channel.bindQueue(from, before, '');
  for (const key of keys) await channel.bindExchange(before, exchange, key);
  for (const key of keys) await channel.unbindQueue(from, exchange, key);
  await pause(1_000); // what was being routed meanwhile has arrived
  await channel.unbindQueue(from, before, '');
}

/** What was between goes again, and with it the old queue, unless something is in it or consumes it. */
async function finish(channel: Channel, move: Move): Promise<void> {
  const { exchange, keys, from, to } = move;
  const { before, moving } = namesOf(move);
  for (const key of keys) await channel.bindQueue(to, exchange, key);
  await channel.deleteExchange(before);
  await channel.deleteExchange(moving);
  await channel.deleteQueue(from, { ifUnused: true, ifEmpty: true });
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    exchange: { type: 'string' },
    key: { type: 'string', multiple: true },
    from: { type: 'string' },
    to: { type: 'string' },
  },
});
const { exchange, key: keys, from, to } = values;
const step = { switch: switchOver, finish }[positionals.join()];
if (!(step && exchange && keys && from && to))
  throw new Error('expected switch or finish, with --exchange, --key (once or more), --from and --to');

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
try {
  await step(await connection.createChannel(), { exchange, keys, from, to });
} finally {
  await connection.close();
}
