import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import type { BusOptions } from '../../src/bus/options.js';
import {
  Bus,
  type BusEvents,
  type EventName,
  type Logger,
  type MessageContext,
  rabbitmq,
} from '../../src/index.js';
import type { PrivateNode } from '../support/broker/index.js';

/** A bus on a private node, with names of its own, a log that can be read, and an end that is never forgotten. */
export interface FaultBus {
  readonly bus: Bus;
  /** Everything it logged, as text. */
  readonly log: string[];
  readonly events: { name: EventName; event: BusEvents[EventName] }[];
  seen<Name extends EventName>(name: Name): BusEvents[Name][];
}

const running = new Set<Bus>();

const WATCHED: readonly EventName[] = [
  'connection.up',
  'connection.down',
  'connection.blocked',
  'connection.unblocked',
  'connection.stalled',
  'connection.flowing',
  'channel.reopened',
  'consumer.cancelled',
  'consumer.lost',
  'consumer.failed',
  'consumer.restored',
  'consumer.suspected',
  'consumer.guilty',
  'consumer.cleared',
  'topology.failed',
  'message.retried',
  'message.deadLettered',
];

export function uniqueName(what: string): string {
  return `${what}-${randomUUID().slice(0, 8)}`;
}

/** @param url of the node, or of a proxy before it */
export function faultBus(url: string | readonly string[], options: Partial<BusOptions> = {}): FaultBus {
  const log: string[] = [];
  const write = (fields: object, message: string) =>
    void log.push(`${message} ${JSON.stringify(fields, plain)}`);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const bus = new Bus({
    service: uniqueName('service'),
    prefix: uniqueName('prefix'),
    transport: rabbitmq({ url, heartbeat: '1s', connectDeadline: '2s' }),
    log: logger,
    // Handlers fail on purpose here; what is looked for in the log is what else went wrong.
    failureLog: false,
    ...options,
  });
  const events: FaultBus['events'] = [];
  for (const name of WATCHED) bus.on(name, (event) => events.push({ name, event }));
  running.add(bus);
  return {
    bus,
    log,
    events,
    seen: <Name extends EventName>(name: Name) =>
      events.filter((each) => each.name === name).map((each) => each.event as BusEvents[Name]),
  };
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message} ${value.stack}` : value;
}

/** Url of the node, by way of a proxy before it. */
export function through(proxy: { readonly port: number }, node: PrivateNode): string {
  return node.url.replace(`:${node.port}`, `:${proxy.port}`);
}

/** What a bug in a client would do: the broker answers with a channel error. */
export function doubleAck(context: MessageContext): void {
  const { work } = context as unknown as {
    work: { received: { delivery: { raw: unknown; epoch: { channel: { ack(message: unknown): void } } } } };
  };
  const { raw: unsettled, epoch } = work.received.delivery;
  // What is settled is forgotten; then it was its channel's first.
  const message = unsettled ?? { fields: { deliveryTag: 1 } };
  epoch.channel.ack(message);
  epoch.channel.ack(message);
}

/** For `afterEach`: a test that failed half-way must not hold the next one up. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((bus) => bus.stop().catch(() => {})));
  running.clear();
}

/** How many dead letters a queue has. */
export const deadLettersOf = (node: PrivateNode, queue: string): Promise<number> =>
  raw(node, async (channel) => (await channel.checkQueue(`${queue}.dead`)).messageCount);

/** Runs `use` on a raw channel, as any other client of the broker would. */
export async function raw<T>(
  node: PrivateNode,
  use: (channel: import('amqplib').ConfirmChannel) => Promise<T>,
): Promise<T> {
  const connection = await connect(node.url);
  connection.on('error', () => {});
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    return await use(channel);
  } finally {
    await connection.close().catch(() => {});
  }
}
