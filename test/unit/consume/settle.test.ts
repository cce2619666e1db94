import assert from 'node:assert/strict';
import { AttemptEvents } from '../../../src/consume/attempt-events.js';
import type { Outcome } from '../../../src/consume/outcome.js';
import { Settler } from '../../../src/consume/settle.js';
import { PublishTimeoutError, UnroutableError } from '../../../src/errors.js';
import type { BusEvents } from '../../../src/events.js';
import type { ChainState, StepMessage } from '../../../src/message/chain-header.js';
import { HEADER } from '../../../src/message/headers.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import type { TransportSession } from '../../../src/transport/transport.js';
import { type Deferred, deferred } from '../../../src/util/deferred.js';
import { Emitter } from '../../../src/util/emitter.js';
import { ManualClock } from '../../../src/util/manual-clock.js';
import { names, TestDelivery, workFor } from './fixtures.js';

/** A session whose publishes end when the test says so: the memory broker confirms at once, and never refuses these. */
class HeldSession implements Pick<TransportSession, 'publish'> {
  /** How many of the next publishes it refuses by itself. */
  refuses = 0;
  readonly publishes: { message: OutgoingMessage; confirm: Deferred<void>; at: number }[] = [];

  constructor(private readonly clock: ManualClock) {}

  publish(message: OutgoingMessage): Promise<void> {
    const confirm = deferred();
    if (this.refuses > 0) confirm.reject(new Error('refused'));
    this.refuses -= 1;
    this.publishes.push({ message, confirm, at: this.clock.monotonic() });
    return confirm.promise;
  }

  get last() {
    return this.publishes.at(-1) ?? assert.fail('nothing was published');
  }
}

const asMessage = (routingKey: string, messageId: string): OutgoingMessage => ({
  exchange: 'hopline.events',
  routingKey,
  body: Buffer.from('{}'),
  properties: { messageId },
  mandatory: true,
  deadlineMs: 30_000,
});

const step = (key: string): StepMessage => ({
  ...{ key, type: key, body: Buffer.from('{}'), contentType: 'application/json' },
  options: { exchange: 'hopline.events' },
});

const CHAIN: ChainState = {
  ...{ id: 'c1', number: 1, rest: [step('second')], onFailure: step('failed') },
  ...{ result: undefined, failure: undefined, finished: false },
};

const NEXT: Extract<Outcome, { kind: 'next' }> = { kind: 'next', chain: CHAIN };
const RETRY: Outcome = { kind: 'retry', delayMs: 4_000, error: new Error('failed') };
const RELEASE: Outcome = { kind: 'release', delayMs: 4_000, unhandled: false };
const DEAD: Outcome = { kind: 'dead-letter', reason: 'exhausted', error: new Error('failed') };

describe('settling', () => {
  let clock: ManualClock;
  let session: HeldSession;
  let giveUp: AbortController;
  let settler: Settler;
  let log: string[];
  let told: string[];
  beforeEach(() => {
    clock = new ManualClock();
    session = new HeldSession(clock);
    giveUp = new AbortController();
    log = [];
    told = [];
    const events = new Emitter<BusEvents>((_name, error) => {
      throw error;
    });
    for (const name of [
      'message.retried',
      'message.released',
      'message.deadLettered',
      'message.discarded',
    ] as const)
      events.on(name, () => told.push(name));
    settler = new Settler({
      names,
      session: session as unknown as TransportSession,
      batches: { report: async () => assert.fail('it is no job of a batch') },
      steps: { send: ({ key }, _state, messageId) => session.publish(asMessage(key, messageId)) },
      clock,
      events: new AttemptEvents('shop', events, clock),
      log: { debug() {}, info() {}, warn: (_fields, message) => log.push(message), error() {} },
      publishDeadlineMs: 30_000,
      giveUp: giveUp.signal,
      queueOf: () => 'billing',
      onHold: () => told.push('held'),
      onRelease: () => told.push('let go'),
    });
  });
  afterEach(() => assert.equal(clock.armed, 0, 'a timer was left behind'));

  const settle = (outcome: Outcome, delivery = new TestDelivery()) => {
    const state = { over: false, delivery };
    void Promise.resolve(settler.settle(workFor(undefined, delivery), outcome)).then(() => {
      state.over = true;
    });
    return state;
  };

  for (const outcome of [RETRY, RELEASE, DEAD]) {
    it(`acks a ${outcome.kind} only after its copy is confirmed, and tells it only then`, async () => {
      const { delivery } = settle(outcome);
      await clock.advance(60_000);
      assert.equal(session.publishes.length, 1);
      assert.equal(delivery.settled, undefined);
      assert.deepEqual(told, []);
      session.last.confirm.resolve();
      await clock.settle();
      assert.equal(delivery.settled, 'ack');
      assert.equal(told.length, 1);
    });
  }

  it('acks what is done or discarded, gives back what was not processed, and publishes for neither', async () => {
    assert.equal(settle({ kind: 'done' }).delivery.settled, 'ack');
    assert.equal(settle({ kind: 'discard' }).delivery.settled, 'ack');
    assert.equal(settle({ kind: 'requeue' }).delivery.settled, 'requeue');
    assert.deepEqual(told, ['message.discarded']);
    assert.deepEqual(session.publishes, []);
  });

  it('does nothing for a delivery whose channel is gone: a copy beside the redelivery would be a duplicate', async () => {
    const delivery = new TestDelivery();
    delivery.lost = true;
    for (const outcome of [
      RETRY,
      RELEASE,
      DEAD,
      NEXT,
      { kind: 'done' } as const,
      { kind: 'discard' } as const,
    ])
      settle(outcome, delivery);
    await clock.settle();
    assert.deepEqual(session.publishes, []);
    assert.deepEqual(told, []);
  });

  it('holds what can not be published, tries again with backoff, and never gives it back meanwhile', async () => {
    const state = settle(RETRY);
    session.refuses = 10;
    session.last.confirm.reject(new PublishTimeoutError('the broker blocks publishers', 'Wait.'));
    await clock.advance(600_000);
    assert.deepEqual(told, ['held'], 'the queue is held once');
    assert.equal(state.delivery.settled, undefined);
    const fullMs = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000];
    assert.equal(session.publishes.length, 1 + fullMs.length);
    for (const [index, full] of fullMs.entries()) {
      const pauseMs = (session.publishes[index + 1]?.at ?? 0) - (session.publishes[index]?.at ?? 0);
      assert.ok(
        pauseMs >= full * 0.75 && pauseMs <= full,
        `pause ${index + 1} took ${pauseMs} of ${full} ms`,
      );
    }
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(state.delivery.settled, 'ack');
    assert.equal(state.over, true);
    assert.deepEqual(told, ['held', 'let go', 'message.retried']);
    assert.equal(log.length, fullMs.length);
    assert.match(log[0] ?? '', /its message is held and the queue paused/);
  });

  it('acks a step only after the next one is confirmed, and holds it while that can not be sent', async () => {
    const { delivery } = settle(NEXT);
    await clock.settle();
    assert.equal(session.last.message.routingKey, 'second');
    session.last.confirm.reject(new PublishTimeoutError('the broker blocks publishers', 'Wait.'));
    await clock.advance(500);
    assert.equal(delivery.settled, undefined);
    assert.equal(session.publishes.length, 2);
    assert.deepEqual(session.publishes[0]?.message, session.publishes[1]?.message);
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(delivery.settled, 'ack');
    assert.deepEqual(told, ['held', 'let go']);
  });

  it('sends the failure step before the dead letter of a step whose next one nobody takes', async () => {
    const { delivery } = settle(NEXT);
    await clock.settle();
    session.last.confirm.reject(new UnroutableError('hopline.events', 'second', 'm2'));
    await clock.settle();
    assert.equal(session.last.message.routingKey, 'failed');
    session.last.confirm.resolve();
    await clock.settle();
    const { message } = session.last;
    assert.equal(message.exchange, names.dead);
    assert.equal(message.properties.headers?.[HEADER.reason], 'chain-broken');
    assert.equal(JSON.parse(String(message.properties.headers?.[HEADER.chain])).finished, true);
    assert.equal(delivery.settled, undefined);
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(delivery.settled, 'ack');
    assert.deepEqual(told, ['message.deadLettered']);
  });

  it('tells before the ack that what follows is stored, or that it is not when the channel is gone', async () => {
    const followed: unknown[] = [];
    const step = (delivery: TestDelivery) =>
      settle(
        { ...NEXT, followed: async (isStored) => void followed.push(isStored, delivery.settled) },
        delivery,
      );
    const { delivery } = step(new TestDelivery());
    session.last.confirm.resolve();
    await clock.settle();
    assert.deepEqual(followed.splice(0), [true, undefined]);
    assert.equal(delivery.settled, 'ack');

    const lost = new TestDelivery();
    lost.lost = true;
    step(lost);
    assert.deepEqual(followed.splice(0), [false, undefined]);

    const going = new TestDelivery();
    step(going);
    session.last.confirm.reject(new PublishTimeoutError('the broker blocks publishers', 'Wait.'));
    await clock.settle();
    giveUp.abort();
    await clock.settle();
    assert.deepEqual(followed, [false, undefined]);
    assert.equal(going.settled, undefined);
  });

  it('publishes the same copy each time, so that a doubled one can be told by its message id', async () => {
    settle(RETRY);
    session.last.confirm.reject(new Error('no'));
    await clock.advance(1_000);
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(session.publishes.length, 2);
    assert.equal(session.publishes[0]?.message, session.publishes[1]?.message);
  });

  it('stops trying when the channel is gone, and lets the queue go', async () => {
    const state = settle(DEAD);
    session.last.confirm.reject(new Error('no'));
    await clock.settle();
    state.delivery.lost = true;
    await clock.advance(60_000);
    assert.equal(session.publishes.length, 1);
    assert.equal(state.over, true);
    assert.deepEqual(told, ['held', 'let go']);
  });

  it('stops trying when the bus gives up, at once, and leaves the message to the broker', async () => {
    const state = settle(RELEASE);
    session.last.confirm.reject(new Error('no'));
    await clock.settle();
    giveUp.abort();
    await clock.settle();
    assert.equal(state.over, true);
    assert.equal(state.delivery.settled, undefined);
    assert.deepEqual(told, ['held', 'let go']);
  });
});
