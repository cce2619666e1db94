import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConsumeMessage, Options } from 'amqplib';
import { pause, systemClock } from '../../src/util/clock.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

/** Which message's trace is at hand. */
const trace = new AsyncLocalStorage<string | undefined>();

/** Methods of the client library's channels, as every channel of this process has them. */
interface Methods {
  publish(exchange: string, key: string, body: Buffer, options: Options.Publish, done: unknown): boolean;
  consume(queue: string, onMessage: (message: ConsumeMessage | null) => void, options: object): unknown;
  dispatchMessage(fields: object, message: ConsumeMessage | null): unknown;
  ack(message: ConsumeMessage, allUpTo: boolean): void;
}

/** What a tracer sees that is laid over the client library, by the messages' ids. */
class Tracer {
  readonly written: { readonly id: string | undefined; readonly in: string | undefined }[] = [];
  readonly consumedIn: (string | undefined)[] = [];
  readonly dispatched = new Set<string | undefined>();
  /** Handed to consumers, and neither acked nor under one that was acked with all before it. */
  open: ConsumeMessage[] = [];
  readonly unknownAcks: number[] = [];
  private readonly restores: (() => void)[] = [];

  /** @param channel any channel of the library's */
  constructor(channel: object) {
    const { written, consumedIn, dispatched } = this;
    this.patch(
      channel,
      'publish',
      (original) =>
        function (this: Methods, ...args) {
          written.push({ id: args[3]?.messageId, in: trace.getStore() });
          return original.apply(this, args);
        },
    );
    this.patch(
      channel,
      'dispatchMessage',
      (original) =>
        function (this: Methods, fields, message) {
          dispatched.add(message?.properties.messageId);
          return original.call(this, fields, message);
        },
    );
    this.patch(channel, 'consume', (original) => this.consuming(original, consumedIn));
    this.patch(channel, 'ack', (original) => this.acking(original));
  }

  /** Of what was written, what was not in its own context. */
  get strangers(): string[] {
    return this.written.filter((each) => each.in !== each.id).map((each) => `${each.id} in ${each.in}`);
  }

  restore(): void {
    for (const restore of this.restores) restore();
  }

  private consuming(original: Methods['consume'], consumedIn: (string | undefined)[]): Methods['consume'] {
    const tracer = this;
    return function (this: Methods, queue, onMessage, options) {
      consumedIn.push(trace.getStore());
      const traced = (message: ConsumeMessage | null) => {
        if (!message) return onMessage(message);
        tracer.open.push(message);
        trace.run(message.properties.messageId as string, onMessage, message);
      };
      return original.call(this, queue, traced, options);
    };
  }

  private acking(original: Methods['ack']): Methods['ack'] {
    const tracer = this;
    return function (this: Methods, message, allUpTo) {
      const place = tracer.open.indexOf(message);
      if (place < 0) tracer.unknownAcks.push(message.fields.deliveryTag);
      else tracer.open.splice(allUpTo ? 0 : place, allUpTo ? place + 1 : 1);
      original.call(this, message, allUpTo);
    };
  }

  private patch<Name extends keyof Methods>(
    channel: object,
    name: Name,
    patched: (original: Methods[Name]) => Methods[Name],
  ): void {
    let prototype = Object.getPrototypeOf(channel) as Methods;
    while (!Object.hasOwn(prototype, name)) prototype = Object.getPrototypeOf(prototype) as Methods;
    const original = prototype[name];
    prototype[name] = patched(original);
    this.restores.push(() => {
      prototype[name] = original;
    });
  }
}

describe('the async context of a message on RabbitMQ', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let proxy: TcpProxy;
  let tracer: Tracer;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(async () => {
    proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    tracer = await raw(node, async (channel) => new Tracer(channel));
  });

  afterEach(async () => {
    tracer.restore();
    await stopAll();
    await proxy.close();
  });

  const publish = (bus: ReturnType<typeof faultBus>['bus'], ids: readonly string[], text: string) =>
    ids.map((id) => trace.run(id, () => bus.publish('load', text, { messageId: id })));

  const ids = (what: string, count: number) =>
    Array.from({ length: count }, (_, number) => `${what}${number}`);

  it('is there when it is written, though the socket had no room when it was published', async () => {
    const { bus } = faultBus(node.url);
    await bus.start();
    await Promise.all(publish(bus, ids('m', 1_000), 'x'.repeat(1_000)));
    assert.equal(tracer.written.length, 1_000);
    assert.deepEqual(tracer.strangers, []);
  });

  it('is there when it is written after the connection was lost, for the first time or again', async () => {
    const { bus, seen } = faultBus(through(proxy, node));
    await trace.run('boot', () => bus.start());
    proxy.stall('both');
    const written = publish(bus, ids('written', 20), 'x');
    await eventually(() => assert.equal(tracer.written.length, 20));
    proxy.reset();
    await eventually(() => assert.ok(seen('connection.down').length > 0));
    const waiting = publish(bus, ids('waiting', 20), 'x');
    proxy.resume();
    await Promise.all([...written, ...waiting]);
    assert.ok(tracer.written.length >= 60, `${tracer.written.length} were written`);
    assert.deepEqual(tracer.strangers, []);
  });

  it('is there when it is written once more because the broker refused it, or closed its channel for another', async () => {
    const exchange = uniqueName('exchange');
    const queue = uniqueName('full');
    await raw(node, async (channel) => {
      await channel.assertExchange(exchange, 'topic');
      await channel.assertQueue(queue, { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
      await channel.bindQueue(queue, exchange, 'full');
      await new Promise((resolve) => channel.publish(exchange, 'full', Buffer.from('{}'), {}, resolve));
    });
    tracer.written.length = 0;
    const { bus } = faultBus(node.url);
    await bus.start();
    const foreign = { exchange: { name: exchange, declare: false } } as const;
    const refused = trace.run('refused', () => bus.publish('full', {}, { ...foreign, messageId: 'refused' }));
    await eventually(() => assert.ok(tracer.written.length > 1));
    await raw(node, (channel) => channel.purgeQueue(queue));
    await refused;
    await raw(node, (channel) => channel.deleteExchange(exchange));
    const doomed = trace.run('doomed', () => bus.publish('full', {}, { ...foreign, messageId: 'doomed' }));
    // Behind it, in one turn: the broker has closed the channel before it reads them.
    const isWritten = () => tracer.written.some(({ id }) => id === 'doomed');
    for (let turn = 0; turn < 50 && !isWritten(); turn += 1) await undefined;
    assert.ok(isWritten());
    await Promise.all([assert.rejects(doomed), ...publish(bus, ids('beside', 50), 'x')]);
    assert.ok(tracer.written.length > 60, 'they were not written again');
    assert.deepEqual(tracer.strangers, []);
  });

  it('begins in what tracers replace, ends with the very message that they saw, and is no consumer’s', async () => {
    const { bus } = faultBus(node.url, { concurrency: 5 });
    const strangers: string[] = [];
    let handled = 0;
    bus.handle(
      'load',
      async (_payload, { messageId }) => {
        if (trace.getStore() !== messageId) strangers.push(`${messageId} in ${trace.getStore()}`);
        await pause(systemClock, Math.random() * 4);
        handled += 1;
        if (messageId?.endsWith('7')) throw new Error('away');
      },
      {
        queue: { prefetch: 20 },
        retry: { tries: 3, backoff: '100ms' },
      },
    );
    await trace.run('boot', () => bus.start());
    await Promise.all(publish(bus, ids('m', 100), 'x'));
    await eventually(() => assert.equal(handled, 120));
    await bus.stop();
    assert.equal(tracer.dispatched.size, 100);
    assert.deepEqual(strangers, []);
    assert.deepEqual(tracer.strangers, []);
    assert.deepEqual(new Set(tracer.consumedIn), new Set([undefined]));
    assert.deepEqual(tracer.unknownAcks, []);
    assert.deepEqual(tracer.open.length, 0);
  });
});
