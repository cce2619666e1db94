import assert from 'node:assert/strict';
import type { Bus } from '../../../src/bus.js';
import { OptionsError } from '../../../src/errors.js';
import type { BusEvents } from '../../../src/events.js';
import { BusMetrics } from '../../../src/observe/metrics/bus-metrics.js';
import type { MetricName } from '../../../src/observe/metrics/catalogue.js';
import type { ObservedBus } from '../../../src/observe/metrics/observed-bus.js';
import { type Labels, Reading } from '../../../src/observe/metrics/reading.js';
import { Emitter } from '../../../src/util/emitter.js';
import { eventually } from '../../support/eventually.js';

type Health = ReturnType<Bus['health']>;
type Status = ReturnType<Bus['status']>;

const since = new Date(0).toISOString();

/** A bus that says what it is told to: for what no test can bring about in a moment. */
class ToldBus implements ObservedBus {
  readonly service = 'svc';
  readonly events = new Emitter<BusEvents>((_name, error) => {
    throw error;
  });
  connections: Health['connections'] = [];
  consumers: Health['consumers'] = [];
  slotGroups: Status['slotGroups'] = [];
  asked = 0;
  backlog: () => ReturnType<Bus['outboxBacklog']> = () =>
    Promise.reject(new OptionsError('outbox', ['none']));

  on<Name extends keyof BusEvents>(name: Name, listener: (event: BusEvents[Name]) => unknown): () => void {
    return this.events.on(name, listener);
  }

  health(): Health {
    const { service, connections, consumers } = this;
    return { service, state: 'started', since, live: true, ready: true, reasons: [], connections, consumers };
  }

  status(): Status {
    const { slotGroups } = this;
    return {
      state: 'started',
      supervised: false,
      uptimeMs: 1,
      memory: 1,
      lagMs: 2_500,
      slotGroups,
      handlers: [],
    };
  }

  async workload(): ReturnType<Bus['workload']> {
    return { queues: [], slots: 0, running: 0, waiting: 0, slotGroups: [] };
  }

  outboxBacklog(): ReturnType<Bus['outboxBacklog']> {
    this.asked += 1;
    return this.backlog();
  }
}

describe('metrics of what a bus says of itself', () => {
  const connection = 'publish' as const;
  const at = { service: 'svc', connection, address: 'rabbit:5672' };
  let bus: ToldBus;
  beforeEach(() => {
    bus = new ToldBus();
  });

  const metricsOf = () => new BusMetrics(bus, { bounds: [1], exemplar: undefined });

  async function read(
    metrics: BusMetrics,
    name: MetricName,
    labels: Labels = {},
  ): Promise<number | undefined> {
    const reading = new Reading();
    await metrics.read(reading);
    const found = reading
      .of(name)
      .find((each) => Object.entries(labels).every(([label, value]) => each.labels[label] === value));
    return found?.value as number | undefined;
  }

  it('count losses and returns of a connection, not its first coming', async () => {
    const metrics = metricsOf();
    const figures = async () => [
      await read(metrics, 'connection_failures_total', { connection }),
      await read(metrics, 'reconnects_total', { connection }),
    ];
    const down = { ...at, error: new Error('away'), retryInMs: 1, refused: false };
    bus.events.emit('connection.down', down);
    bus.events.emit('connection.up', at);
    assert.deepEqual(await figures(), [1, 0]);
    bus.events.emit('connection.down', down);
    bus.events.emit('connection.down', down);
    bus.events.emit('connection.up', at);
    assert.deepEqual(await figures(), [3, 1]);
    assert.equal(await read(metrics, 'reconnects_total', { connection: 'consume' }), 0);
  });

  it('know of a connection that was up before they were attached', async () => {
    bus.connections = [{ connection, state: 'up', since }];
    const metrics = metricsOf();
    bus.events.emit('connection.down', { ...at, error: new Error('away'), retryInMs: 1, refused: false });
    bus.events.emit('connection.up', at);
    assert.equal(await read(metrics, 'reconnects_total', { connection }), 1);
  });

  it('measure how long a connection is blocked, while it is and afterwards', async () => {
    bus.connections = [{ connection, state: 'blocked', since }];
    const metrics = metricsOf();
    const blocked = () => read(metrics, 'connection_blocked_seconds_total', { connection }).then(Number);
    assert.equal(await read(metrics, 'connection_blocked', { connection }), 1);
    assert.equal(await read(metrics, 'connection_up', { connection }), 1);
    await eventually(async () => (await blocked()) > 0.05);
    bus.events.emit('connection.unblocked', at);
    const afterwards = await blocked();
    assert.equal(await blocked(), afterwards);
    bus.events.emit('connection.blocked', { ...at, reason: 'low on memory' });
    await eventually(async () => (await blocked()) > afterwards);
    bus.events.emit('connection.down', { ...at, error: new Error('away'), retryInMs: 1, refused: false });
    const lost = await blocked();
    assert.equal(await blocked(), lost);
  });

  for (const name of ['bus.stopped', 'bus.startFailed'] as const)
    it(`measure it no longer once the connection is closed: ${name}`, async () => {
      bus.connections = [{ connection, state: 'blocked', since }];
      const metrics = metricsOf();
      const blocked = () => read(metrics, 'connection_blocked_seconds_total', { connection }).then(Number);
      await eventually(async () => (await blocked()) > 0);
      bus.events.emit(name, { service: 'svc', error: new Error('stopped') });
      const afterwards = await blocked();
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(await blocked(), afterwards);
    });

  it('tell of the outbox, whose lag is in seconds', async () => {
    bus.backlog = async () => ({ waiting: 3, lagMs: 1_500, refused: [] });
    const metrics = metricsOf();
    assert.equal(await read(metrics, 'outbox_messages'), 3);
    assert.equal(await read(metrics, 'outbox_lag_seconds'), 1.5);
    bus.events.emit('outbox.relayed', { service: 'svc', published: 2, refused: 1, lagMs: 5 });
    assert.equal(await read(metrics, 'outbox_relayed_total'), 2);
    assert.equal(await read(metrics, 'outbox_refused_total'), 1);
  });

  it('count requests by their ends, and replies that nobody waited for', async () => {
    const metrics = metricsOf();
    const request = { service: 'svc', exchange: 'e', routingKey: 'k', messageId: 'm', durationMs: 5 };
    for (const error of [new Error('late'), new Error('gone')])
      bus.events.emit('request.failed', { ...request, error });
    bus.events.emit('request.replied', request);
    bus.events.emit('reply.dropped', { service: 'svc', requestId: 'm', messageId: 'r', from: undefined });
    const total = (result: string) => read(metrics, 'requests_total', { exchange: 'e', result });
    assert.deepEqual([await total('replied'), await total('failed')], [1, 2]);
    assert.equal(await read(metrics, 'replies_dropped_total'), 1);
    assert.ok(await read(metrics, 'request_duration_seconds', { exchange: 'e' }));
  });

  it('ask a bus without an outbox for it once', async () => {
    const metrics = metricsOf();
    for (let scrape = 0; scrape < 3; scrape += 1) {
      assert.equal(await read(metrics, 'outbox_messages'), undefined);
      assert.equal(await read(metrics, 'scrape_errors_total'), undefined);
    }
    assert.equal(bus.asked, 1);
  });

  it('tell of consumers, and of why a queue is paused', async () => {
    bus.consumers = [
      { queue: 'a', state: 'consuming', since },
      { queue: 'b', state: 'lost', since },
      { queue: 'c', state: 'guilty', since },
    ];
    const lane = { queue: 'a', of: 'a', oldestMs: undefined };
    const group = { queues: ['a'], slots: 1, running: 0, waiting: 0, busyMs: 0 };
    bus.slotGroups = [{ ...group, lanes: [{ ...lane, paused: ['operator'] }], held: true }];
    const metrics = metricsOf();
    assert.equal(await read(metrics, 'consumers', { queue: 'a' }), 1);
    for (const queue of ['b', 'c']) assert.equal(await read(metrics, 'consumers', { queue }), 0);
    for (const reason of ['operator', 'unpublishable'])
      assert.equal(await read(metrics, 'consumer_paused', { queue: 'a', reason }), 1);
    assert.equal(await read(metrics, 'oldest_message_seconds'), undefined);
    assert.equal(await read(metrics, 'event_loop_lag_seconds'), 2.5);
  });

  it('have one series for all values of a label that are too many', async () => {
    const metrics = metricsOf();
    for (let index = 0; index < 1_010; index += 1) {
      const about = { service: 'svc', routingKey: 'k', messageId: 'm' };
      bus.events.emit('message.published', { ...about, exchange: `exchange-${index}` });
    }
    assert.equal(await read(metrics, 'messages_published_total', { exchange: 'exchange-999' }), 1);
    assert.equal(await read(metrics, 'messages_published_total', { exchange: 'exchange-1000' }), undefined);
    assert.equal(await read(metrics, 'messages_published_total', { exchange: 'other' }), 10);
  });

  it('end with the last listener', async () => {
    const metrics = metricsOf();
    assert.ok(bus.events.has('handler.succeeded'));
    metrics.end();
    assert.ok(!bus.events.has('handler.succeeded') && !bus.events.has('connection.up'));
  });
});
