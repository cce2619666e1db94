import assert from 'node:assert/strict';
import type { BusEvents, BusState } from '../../../src/events.js';
import { PublishTimeoutError, TopologyError } from '../../../src/index.js';
import type { BusHealth } from '../../../src/observe/health/bus-health.js';
import { HealthMonitor } from '../../../src/observe/health/health-monitor.js';
import { type HealthFacts, judge } from '../../../src/observe/health/judge.js';
import { Emitter } from '../../../src/util/emitter.js';
import { ManualClock } from '../../../src/util/manual-clock.js';

const service = 'mailer';
const address = 'rabbit:5672';

describe('health, told by events', () => {
  let clock: ManualClock;
  let events: Emitter<BusEvents>;
  let monitor: HealthMonitor;
  let startedAt: number;

  beforeEach(() => {
    clock = new ManualClock();
    startedAt = clock.now();
    events = new Emitter<BusEvents>((_name, error) => {
      throw error;
    });
    monitor = new HealthMonitor(service, events, clock);
  });
  // Its measure of the event loop ends with the bus.
  afterEach(() => events.emit('bus.stopped', { service }));

  /** A service that handles two queues, and is well. */
  function wellStarted(): void {
    events.emit('bus.starting', { service });
    for (const connection of ['publish', 'consume'] as const)
      events.emit('connection.up', { service, connection, address });
    for (const queue of ['a', 'b']) events.emit('consumer.started', { service, queue });
    events.emit('bus.started', { service });
  }

  function ready(): boolean {
    const health = monitor.health();
    assert.equal(health.ready, health.reasons.length === 0);
    assert.equal(health.live, true);
    return health.ready;
  }

  const at = (ms: number): string => new Date(startedAt + ms).toISOString();
  const onlyReason = (): string => {
    const { reasons } = monitor.health();
    assert.equal(reasons.length, 1, `${reasons}`);
    return reasons[0] as string;
  };
  const connection = (which: 'publish' | 'consume') =>
    monitor.health().connections.find((each) => each.connection === which);
  const consumer = (queue: string) => monitor.health().consumers.find((each) => each.queue === queue);

  it('is ready with both connections and all consumers, and says what it sees', () => {
    wellStarted();
    assert.ok(ready());
    const { eventLoop, ...rest } = monitor.health();
    assert.ok(eventLoop && eventLoop.lagMs >= 0);
    const since = at(0);
    assert.deepEqual(rest, {
      service,
      state: 'started',
      since,
      live: true,
      ready: true,
      reasons: [],
      connections: [
        { connection: 'publish', state: 'up', since, address },
        { connection: 'consume', state: 'up', since, address },
      ],
      consumers: [
        { queue: 'a', state: 'consuming', since },
        { queue: 'b', state: 'consuming', since },
      ],
    } satisfies Omit<BusHealth, 'eventLoop'>);
  });

  it('knows since when a connection is away, over all tries to find it, and why the last one failed', async () => {
    wellStarted();
    const down = { service, connection: 'publish', address, retryInMs: 100 } as const;
    await clock.advance(1_000);
    events.emit('connection.down', { ...down, error: new Error('socket hang up'), refused: false });
    await clock.advance(1_000);
    events.emit('connection.down', { ...down, error: new Error('403 (ACCESS_REFUSED)'), refused: true });
    const { state, since, error } = connection('publish') ?? assert.fail();
    assert.deepEqual([state, since, error?.message], ['refused', at(1_000), '403 (ACCESS_REFUSED)']);
    assert.equal(
      onlyReason(),
      `the publishing connection to ${address} has been refused by the broker since ${at(1_000)}: 403 (ACCESS_REFUSED)`,
    );
    await clock.advance(1_000);
    events.emit('connection.up', { service, connection: 'publish', address });
    assert.deepEqual(connection('publish'), {
      connection: 'publish',
      state: 'up',
      since: at(3_000),
      address,
    });
    assert.ok(ready());
  });

  it('is not ready while the broker blocks publishing, by its words', () => {
    wellStarted();
    events.emit('connection.blocked', {
      service,
      connection: 'publish',
      address,
      reason: 'low on memory',
    });
    assert.match(
      onlyReason(),
      /^the publishing connection .* blocked by the broker since .*: low on memory$/,
    );
    events.emit('connection.unblocked', { service, connection: 'publish', address });
    assert.ok(ready());
  });

  it('names each queue whose consumer is lost, and what can not be restored with what to do about it', async () => {
    wellStarted();
    events.emit('consumer.lost', { service, queue: 'a', error: new Error('the queue was deleted') });
    assert.match(onlyReason(), /^queue 'a' has not been consumed since .*: the queue was deleted$/);
    await clock.advance(5_000);
    const error = new TopologyError("queue 'a'", "not allowed to declare queue 'a'", 'Give the right.');
    events.emit('consumer.failed', { service, queue: 'a', error });
    assert.equal(
      onlyReason(),
      `queue 'a' has not been consumed since ${at(0)}, and can't be: not allowed to declare queue 'a' (Give the right.)`,
    );
    assert.deepEqual(consumer('a'), {
      queue: 'a',
      state: 'failed',
      since: at(0),
      error: {
        code: 'HOPLINE_TOPOLOGY',
        message: "not allowed to declare queue 'a'",
        help: 'Give the right.',
      },
    });
    events.emit('consumer.restored', { service, queue: 'a' });
    assert.ok(ready());
    assert.equal(consumer('a')?.since, at(5_000));
  });

  it('is red for a consumer that is cancelled in the moment of its start, until it consumes', () => {
    wellStarted();
    events.emit('consumer.cancelled', { service, queue: 'c', reason: 'the queue was deleted' });
    assert.match(onlyReason(), /^queue 'c' has not been consumed since .*: the queue was deleted$/);
    events.emit('consumer.started', { service, queue: 'c' });
    assert.ok(ready());
  });

  it('gives the lost connection as the reason, and not each queue that is lost with it', () => {
    wellStarted();
    const error = new Error('ECONNRESET');
    events.emit('connection.down', {
      service,
      connection: 'consume',
      address,
      retryInMs: 100,
      refused: false,
      error,
    });
    for (const queue of ['a', 'b']) events.emit('consumer.lost', { service, queue, error });
    assert.match(onlyReason(), /^the consuming connection/);
    assert.deepEqual([consumer('a')?.state, consumer('b')?.state], ['lost', 'lost']);
    events.emit('connection.up', { service, connection: 'consume', address });
    events.emit('consumer.restored', { service, queue: 'a' });
    assert.match(onlyReason(), /^queue 'b'/);
  });

  it('is not ready while a retry can not be published, and is while a lane waits for a higher one', () => {
    wellStarted();
    events.emit('consumer.paused', { service, queue: 'a', why: 'higher-lane' });
    assert.equal(consumer('a')?.state, 'paused');
    assert.ok(ready());
    const error = new PublishTimeoutError('nothing could be written', 'Wait.');
    events.emit('consumer.paused', { service, queue: 'a', why: 'unpublishable', error });
    assert.equal(consumer('a')?.state, 'held');
    assert.match(
      onlyReason(),
      /^queue 'a' has stood still since .* can't be published: nothing could be written/,
    );
    events.emit('consumer.resumed', { service, queue: 'a', why: 'unpublishable' });
    assert.equal(consumer('a')?.state, 'paused');
    events.emit('consumer.resumed', { service, queue: 'a', why: 'higher-lane' });
    assert.equal(consumer('a')?.state, 'consuming');
  });

  it('keeps the reason of a failed start until the next one', () => {
    events.emit('bus.starting', { service });
    assert.ok(!ready());
    events.emit('bus.startFailed', {
      service,
      error: new TopologyError('queue', 'not this one', 'Mend it.'),
    });
    assert.equal(onlyReason(), 'start() failed: not this one (Mend it.)');
    assert.deepEqual(monitor.health().connections, []);
    wellStarted();
    assert.ok(ready());
    assert.equal(monitor.health().startError, undefined);
  });

  it('is live until it is stopped, whatever the broker does', () => {
    assert.equal(onlyReason(), 'the bus is not started');
    assert.ok(!ready());
    wellStarted();
    events.emit('bus.stopping', { service });
    assert.ok(!ready());
    assert.equal(onlyReason(), 'the bus is stopping');
    events.emit('bus.stopped', { service });
    const { live, connections, consumers, eventLoop } = monitor.health();
    assert.deepEqual([live, connections, consumers, eventLoop], [false, [], [], undefined]);
  });

  it('does not take what comes after the end for a consumer', () => {
    wellStarted();
    events.emit('bus.stopped', { service });
    events.emit('consumer.resumed', { service, queue: 'a', why: 'unpublishable' });
    events.emit('consumer.lost', { service, queue: 'a', error: new Error('late') });
    assert.deepEqual(monitor.health().consumers, []);
  });

  it('tells no credential, whoever has written it into an error', () => {
    wellStarted();
    const error = new Error('no way to amqps://user:canary%2FPa55@rabbit:5671/shop or //u:canary-Pa55@r');
    const down = { service, connection: 'consume', address, retryInMs: 1, refused: false, error } as const;
    events.emit('connection.down', down);
    assert.equal(connection('consume')?.error?.message, 'no way to amqps://…@rabbit:5671/shop or //…@r');
    assert.doesNotMatch(JSON.stringify(monitor.health()), /canary/);
  });

  it('has a reason also for errors that have no message, and for what is no error', () => {
    wellStarted();
    const down = { service, connection: 'consume', address, retryInMs: 1, refused: false } as const;
    const refused = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    for (const [error, message] of [
      [refused, 'ECONNREFUSED'],
      ['a text', 'a text'],
      [new Error(), 'no reason is known'],
    ] as const) {
      events.emit('connection.down', { ...down, error: error as Error });
      assert.equal(connection('consume')?.error?.message, message);
    }
  });

  it('survives JSON as it is, whatever is wrong', () => {
    const asItIs = () => {
      const health = monitor.health();
      assert.deepEqual(JSON.parse(JSON.stringify(health)), health);
    };
    asItIs();
    wellStarted();
    events.emit('consumer.paused', { service, queue: 'a', why: 'higher-lane' });
    events.emit('consumer.lost', { service, queue: 'b', error: new Error('x') });
    events.emit('connection.blocked', { service, connection: 'publish', address, reason: 'low on memory' });
    asItIs();
    events.emit('bus.startFailed', { service, error: new Error('x') });
    asItIs();
  });

  it('costs a probe next to nothing: a thousand answers in less than a second', () => {
    wellStarted();
    for (let queue = 0; queue < 20; queue += 1)
      events.emit('consumer.started', { service, queue: `q${queue}` });
    const from = performance.now();
    for (let times = 0; times < 1_000; times += 1) monitor.health();
    const tookMs = performance.now() - from;
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
  });
});

describe('the judgement of health', () => {
  const since = '2026-01-01T00:00:00.000Z';
  const facts = (state: BusState, lagMs: number): HealthFacts => ({
    service,
    state,
    since,
    connections: [
      { connection: 'publish', state: 'up', since },
      { connection: 'consume', state: 'up', since },
    ],
    consumers: [],
    eventLoop: { lagMs },
  });

  it('is against a loop that was blocked for over five seconds, but takes it for alive: it answers', () => {
    assert.deepEqual(judge(facts('started', 5_000)).reasons, []);
    const { live, ready, reasons } = judge(facts('started', 6_250));
    assert.deepEqual([live, ready], [true, false]);
    assert.deepEqual(reasons, ['the event loop was blocked for 6.3 s within the last ten']);
  });

  it('takes only a stopped bus for dead', () => {
    const states: BusState[] = ['new', 'starting', 'started', 'stopping', 'stopped'];
    assert.deepEqual(
      states.map((state) => judge(facts(state, 60_000)).live),
      [true, true, true, true, false],
    );
  });
});
