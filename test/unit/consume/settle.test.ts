import assert from 'node:assert/strict';
import { AttemptEvents } from '../../../src/consume/report/attempt-events.js';
import { copiesOf } from '../../../src/consume/settle/copies.js';
import { Settler } from '../../../src/consume/settle/settle.js';
import {
  InvalidMessageError,
  PublishRejectedError,
  PublishTimeoutError,
  UnroutableError,
} from '../../../src/errors.js';
import type { BusEvents } from '../../../src/events.js';
import type { StepSender } from '../../../src/features/chain/context.js';
import { failureSteps, goingOn } from '../../../src/features/chain/effects.js';
import { leaseEnds } from '../../../src/features/long/effects.js';
import { Pack, receivedItems, returned } from '../../../src/features/pack/pack.js';
import { HEADER } from '../../../src/message/headers.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import { encodeUnique } from '../../../src/message/unique.js';
import type { ChainState, StepMessage } from '../../../src/message/wire/chain-header.js';
import { type EffectsOf, withEffect } from '../../../src/pipeline/effect.js';
import type { AttemptLease } from '../../../src/pipeline/lease.js';
import type { Effect } from '../../../src/pipeline/outcome.js';
import { DONE, type Outcome, RETURN, RETURN_STARTED } from '../../../src/pipeline/outcome.js';
import { receive } from '../../../src/pipeline/received.js';
import { Work } from '../../../src/pipeline/work.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import type { QueueState } from '../../../src/transport/operator-session.js';
import type { Session } from '../../../src/transport/transport.js';
import { type Deferred, deferred } from '../../../src/util/deferred.js';
import { Emitter } from '../../../src/util/emitter.js';
import type { Logger } from '../../../src/util/logger.js';
import { names, TestDelivery, workFor } from './fixtures.js';

/** A session whose publishes end when the test says so: the memory broker confirms at once, and never refuses these. */
class HeldSession implements Pick<Session, 'publish' | 'inspect'> {
  /** How many of the next publishes it refuses by itself, and with what. */
  refuses = 0;
  refusal: Error = new Error('refused');
  /** Whether there is a dead-letter queue. */
  hasDeadQueue = true;
  readonly publishes: { message: OutgoingMessage; confirm: Deferred<void>; at: number }[] = [];

  constructor(private readonly clock: ManualClock) {}

  async publish(message: OutgoingMessage): Promise<undefined> {
    const confirm = deferred();
    if (this.refuses > 0) confirm.reject(this.refusal);
    this.refuses -= 1;
    this.publishes.push({ message, confirm, at: this.clock.monotonic() });
    await confirm.promise;
    return undefined;
  }

  async inspect(queue: string): Promise<QueueState | undefined> {
    assert.equal(queue, 'billing.dead');
    return this.hasDeadQueue ? { ready: 0, consumers: 0 } : undefined;
  }

  get last() {
    return this.publishes.at(-1) ?? assert.fail('nothing was published');
  }

  get lastKey() {
    const { message } = this.last;
    return message.to === 'exchange' ? message.routingKey : message.to;
  }
}

const asMessage = (routingKey: string, messageId: string): OutgoingMessage => ({
  to: 'exchange',
  exchange: 'hopline.events',
  routingKey,
  body: Buffer.from('{}'),
  properties: { messageId },
  mustRoute: true,
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

const RETRY: Outcome = { kind: 'retry', delayMs: 4_000, error: new Error('failed') };
const RELEASE: Outcome = { kind: 'release', delayMs: 4_000, unhandled: false };
const DEAD: Outcome = { kind: 'dead-letter', reason: 'exhausted', error: new Error('failed') };

describe('settling', () => {
  let clock: ManualClock;
  let session: HeldSession;
  let giveUp: AbortController;
  let settler: Settler;
  let steps: Pick<StepSender, 'send'>;
  let log: string[];
  let told: string[];
  /** What was due for marked messages beside that, by the kinds of their outcomes. */
  let kept: string[];
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
    const logger: Logger = {
      debug() {},
      info() {},
      warn: (_fields, message) => log.push(message),
      error: (_fields, message) => log.push(message),
    };
    const shared = {
      ...{ names, clock, publishDeadlineMs: 30_000, log: logger, queueOf: () => 'billing' },
      session: session as unknown as Session,
    };
    steps = { send: ({ key }, _state, messageId) => session.publish(asMessage(key, messageId)) };
    const keys: EffectsOf = (_work, { kind }) => [{ what: 'a key', run: async () => void kept.push(kind) }];
    const all = [failureSteps(steps, logger), copiesOf(shared), leaseEnds(logger)];
    kept = [];
    settler = new Settler({
      ...shared,
      effects: { ofPlain: all, ofMarked: [keys, ...all], ofRequests: [] },
      events: new AttemptEvents('shop', events, clock),
      giveUp: giveUp.signal,
      onHold: () => told.push('held'),
      onRelease: () => told.push('let go'),
    });
  });
  afterEach(() => assert.equal(clock.armed, 0, 'a timer was left behind'));

  const settle = (outcome: Outcome, delivery = new TestDelivery()) => settleAs(() => outcome, delivery);
  const settleAs = (outcomeOf: (work: Work) => Outcome, delivery: TestDelivery) => {
    const state = { over: false, delivery };
    const work = workFor(undefined, delivery);
    void Promise.resolve(settler.settle(work, outcomeOf(work))).then(() => {
      state.over = true;
    });
    return state;
  };
  /** A step that is done, and more that is to be stored then. */
  const settleStep = (delivery = new TestDelivery(), more?: Effect) =>
    settleAs((work) => {
      work.chain = CHAIN;
      const outcome = goingOn(work, CHAIN, steps);
      return more ? withEffect(outcome, more) : outcome;
    }, delivery);

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

  it('acks what is done or discarded, gives back to its place what costs nothing there, and publishes for neither', async () => {
    assert.equal(settle({ kind: 'done' }).delivery.settled, 'ack');
    assert.equal(settle({ kind: 'discard' }).delivery.settled, 'ack');
    assert.equal(settle(RETURN).delivery.settled, 'requeue');
    assert.deepEqual(told, ['message.discarded']);
    assert.deepEqual(session.publishes, []);
  });

  it('drops what nobody needs any more once the broker has heard it, and not if the message may come again', async () => {
    const ended: string[] = [];
    const outcome = (name: string): Outcome => ({
      kind: 'done',
      onEnded: async () => void ended.push(`${name} ${delivery.settled}`),
    });
    let delivery = new TestDelivery();
    settle(outcome('acked'), delivery);
    await clock.settle();
    const stored = deferred();
    delivery = new TestDelivery();
    settle(withEffect(outcome('lost'), { what: 'a note', run: () => stored.promise }), delivery);
    delivery.lost = true;
    stored.resolve();
    await clock.settle();
    delivery = new TestDelivery();
    const refused = new InvalidMessageError('it can never be stored', '');
    const onError = () => ({ kind: 'dead-letter', reason: 'unsendable', error: refused }) as const;
    settle(
      withEffect(outcome('buried'), { what: 'a step', run: () => Promise.reject(refused), onError }),
      delivery,
    );
    await clock.settle();
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(delivery.settled, 'ack');
    assert.deepEqual(ended, ['acked ack']);
  });

  it('gives back a copy, with all its counters as they are, where the broker charges what is requeued', async () => {
    const headers = { 'hopline-attempt': 3, 'hopline-exceptions': 2, 'hopline-releases': 4 };
    const charged = () =>
      new TestDelivery({
        exchange: 'hopline.delay.out',
        requeueIsCharged: true,
        deliveryCount: 5,
        properties: { headers },
      });
    for (const outcome of [RETURN, RETURN_STARTED]) {
      const { delivery } = settle(outcome, charged());
      await clock.settle();
      assert.equal(delivery.settled, undefined);
      session.last.confirm.resolve();
      await clock.settle();
      assert.equal(delivery.settled, 'ack');
    }
    const copies = session.publishes.map(({ message }) => message.properties.headers ?? {});
    for (const copy of copies)
      for (const [name, value] of Object.entries(headers)) assert.equal(copy[name], value);
    assert.deepEqual(
      copies.map((copy) => copy['hopline-redelivered']),
      [undefined, true],
    );
    assert.deepEqual(told, [], 'it was neither retried nor released');
  });

  it('requeues what goes back and can not be published now: it holds up nothing', async () => {
    const { delivery } = settle(RETURN, new TestDelivery({ requeueIsCharged: true }));
    session.last.confirm.reject(new Error('no room'));
    await clock.settle();
    assert.equal(delivery.settled, 'requeue');
  });

  it('requeues what goes back and can not all be read: a copy would be without that, and be handled', async () => {
    const { delivery } = settle(
      RETURN,
      new TestDelivery({ requeueIsCharged: true, unreadable: "header 'x'" }),
    );
    await clock.settle();
    assert.equal(delivery.settled, 'requeue');
    assert.deepEqual(session.publishes, []);
  });

  it('gives back what is left of a pack as what it is: handed out before, if its handler has begun', async () => {
    for (const [outcome, redelivered, expected] of [
      [RETURN, false, undefined],
      [RETURN, true, true],
      [RETURN_STARTED, false, true],
    ] as const) {
      const delivery = new TestDelivery({ body: Buffer.from('1\n2'), redelivered });
      const [item] = receivedItems(receive(delivery, names), new Pack(delivery));
      assert.ok(item);
      const work = new Work(item, undefined, 0);
      void settler.settle(work, returned(work, outcome));
      session.last.confirm.resolve();
      await clock.settle();
      assert.equal(item.delivery.isSettled, true);
      assert.equal(session.last.message.properties.headers?.[HEADER.redelivered], expected);
    }
  });

  it('does nothing for a delivery whose channel is gone: a copy beside the redelivery would be a duplicate', async () => {
    const delivery = new TestDelivery();
    delivery.lost = true;
    for (const outcome of [RETRY, RELEASE, DEAD, { kind: 'done' } as const, { kind: 'discard' } as const])
      settle(outcome, delivery);
    settleStep(delivery);
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
    const { delivery } = settleStep();
    await clock.settle();
    assert.equal(session.lastKey, 'second');
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
    const { delivery } = settleStep();
    await clock.settle();
    session.last.confirm.reject(new UnroutableError('hopline.events', 'second', 'm2'));
    await clock.settle();
    assert.equal(session.lastKey, 'failed');
    session.last.confirm.resolve();
    await clock.settle();
    const { message } = session.last;
    assert.equal(message.to, 'dead-letters');
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
      settleStep(delivery, {
        what: 'a note',
        run: async () => void followed.push(true, delivery.settled),
        onUnreached: async () => void followed.push(false, delivery.settled),
      });
    const { delivery } = step(new TestDelivery());
    session.last.confirm.resolve();
    await clock.settle();
    assert.deepEqual(followed.splice(0), [true, undefined]);
    assert.equal(delivery.settled, 'ack');

    const lost = new TestDelivery();
    lost.lost = true;
    step(lost);
    await clock.settle();
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

  it('does what counts on the message being safe after its dead letter, if what was to be before that can not be', async () => {
    const followed: unknown[] = [];
    const note = async () => void followed.push(session.publishes.length);
    const { delivery } = settleStep(new TestDelivery(), { what: 'a note', run: note });
    session.last.confirm.reject(new UnroutableError('hopline.events', 'second', 'm2'));
    await clock.settle();
    session.last.confirm.resolve();
    await clock.settle();
    assert.deepEqual(followed, [], 'the failure step is stored, and the dead letter is not');
    session.last.confirm.resolve();
    await clock.settle();
    assert.deepEqual(followed, [3]);
    assert.equal(delivery.settled, 'ack');
  });

  it('gives up what counts on the message being handled, after its dead letter, if what it owes can never be stored', async () => {
    const followed: string[] = [];
    const owed: Effect = {
      what: 'what it owes',
      isOwed: true,
      run: async () => Promise.reject(new UnroutableError('hopline.events', 'k', 'm2')),
      onError: (error) => ({ kind: 'dead-letter', reason: 'publish-refused', error }),
    };
    const note: Effect = {
      what: 'a note',
      run: async () => void followed.push('handled'),
      onUnreached: async () => void followed.push(`given up, ${session.publishes.length} published`),
    };
    const { delivery } = settle({ kind: 'done', effects: [owed, note] });
    await clock.settle();
    assert.deepEqual(followed, []);
    assert.equal(session.last.message.to, 'dead-letters');
    session.last.confirm.resolve();
    await clock.settle();
    assert.deepEqual(followed, ['given up, 1 published']);
    assert.equal(delivery.settled, 'ack');
    assert.deepEqual(told, ['message.deadLettered']);
  });

  it('acks only when the window is ready for that, and keeps nothing waiting that is to be stored before', async () => {
    const ready = deferred();
    const delivery = new TestDelivery();
    const stored: string[] = [];
    const outcome = withEffect({ kind: 'done' }, { what: 'a note', run: async () => stored.push('note') });
    const settling = settler.settle(workFor(undefined, delivery), outcome, ready.promise);
    await clock.settle();
    assert.deepEqual([stored, delivery.settled], [['note'], undefined]);
    ready.resolve();
    await settling;
    assert.equal(delivery.settled, 'ack');
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

  it('tells nothing of what the broker has not heard and no copy says: it comes again', async () => {
    for (const outcome of [{ kind: 'discard' }, DEAD] as const) {
      told.splice(0);
      const delivery = new TestDelivery();
      const losing = { what: 'a note', run: async () => void Object.assign(delivery, { lost: true }) };
      settle({ ...outcome, effects: [losing] }, delivery);
      await clock.settle();
      assert.deepEqual(told, [], outcome.kind);
    }
    const delivery = new TestDelivery();
    settle(DEAD, delivery);
    await clock.settle();
    delivery.lost = true;
    session.last.confirm.resolve();
    await clock.settle();
    assert.deepEqual(told, ['message.deadLettered'], 'its dead letter is there');
  });

  it('holds what is to be stored, not published, and pauses no queue meanwhile', async () => {
    let isAway = true;
    const stored: string[] = [];
    const effect: Effect = {
      ...{ what: 'the end of a lease', isOfStore: true },
      run: async () => {
        if (isAway) throw new Error('the store is away');
        stored.push('end');
      },
    };
    const { delivery } = settle(withEffect(DONE, effect));
    await clock.advance(1_000);
    assert.equal(delivery.settled, undefined);
    isAway = false;
    await clock.advance(30_000);
    assert.deepEqual([delivery.settled, stored, told], ['ack', ['end'], []]);
    assert.equal(log[0], 'the end of a lease cannot be stored: its message is held until it can');
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

  it('does what is due for the end that a message has in the end, as its key is given back when it can never come back', async () => {
    const unique = encodeUnique({ key: 'k', until: 'done', forMs: 60_000, number: undefined });
    const properties = { messageId: 'm', headers: { [HEADER.unique]: unique } };
    const { delivery } = settle(RETRY, new TestDelivery({ properties }));
    await clock.settle();
    assert.deepEqual(kept, ['retry']);
    session.last.confirm.reject(new InvalidMessageError("it can't be encoded", 'Mend it.'));
    await clock.settle();
    assert.deepEqual(kept, ['retry', 'dead-letter']);
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(delivery.settled, 'ack');
  });

  it('tries once what ends after the bus has given up waiting', async () => {
    giveUp.abort();
    const stored = settle(RETRY);
    session.last.confirm.resolve();
    await clock.settle();
    assert.equal(stored.delivery.settled, 'ack');
    const left = settle(RETRY);
    session.last.confirm.reject(new Error('no'));
    await clock.settle();
    assert.deepEqual([left.over, left.delivery.settled], [true, undefined]);
    assert.deepEqual(told, ['message.retried'], 'nothing is held for it');
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

  describe('what can never be published', () => {
    const closedFor = (code: number) =>
      new PublishRejectedError('the broker closes the channel', 'Look there.', {
        cause: Object.assign(new Error(`closed with ${code}`), { code }),
      });
    const TOO_LARGE = closedFor(406);
    const UNENCODABLE = new InvalidMessageError("it can't be encoded", 'Mend it.');
    const lastHeaders = () => session.last.message.properties.headers ?? {};

    for (const outcome of [RETRY, RELEASE]) {
      it(`of a ${outcome.kind} becomes a dead letter, which says so, with the same body`, async () => {
        const { delivery } = settle(outcome);
        session.last.confirm.reject(TOO_LARGE);
        await clock.settle();
        assert.equal(session.last.message.to, 'dead-letters');
        assert.equal(lastHeaders()[HEADER.reason], 'unsendable');
        assert.equal(
          lastHeaders()[HEADER.error],
          outcome.kind === 'retry'
            ? 'Error: failed; its copy could not be sent: PublishRejectedError: the broker closes the channel'
            : 'PublishRejectedError: the broker closes the channel',
        );
        assert.equal(session.last.message.body, delivery.body);
        assert.equal(delivery.settled, undefined);
        session.last.confirm.resolve();
        await clock.settle();
        assert.equal(delivery.settled, 'ack');
        assert.deepEqual(told, ['message.deadLettered']);
      });
    }

    it('of a dead letter takes the form that always fits: ours alone, of no more than fits, and names what is left out', async () => {
      const headers = {
        mine: 1,
        [HEADER.encrypted]: '{"v":1}',
        [HEADER.unique]: 'u'.repeat(40_000),
        'hopline-forged': 'x'.repeat(70_000),
      };
      const properties = { headers, correlationId: '\uFFFD'.repeat(100), timestamp: 2 ** 64, type: 'order' };
      const delivery = new TestDelivery({ properties, body: Buffer.from('as it came') });
      // Whole, and with half as much, and with nothing of the publisher's.
      session.refuses = 3;
      session.refusal = UNENCODABLE;
      settle(DEAD, delivery);
      await clock.settle();
      const { message } = session.last;
      const { headers: sent, ...rest } = message.properties;
      assert.deepEqual(Object.keys(sent ?? {}).toSorted(), [
        ...[HEADER.attempt, HEADER.dropped, HEADER.encrypted, HEADER.error, HEADER.exceptions],
        ...[HEADER.exchange, HEADER.failedAt, HEADER.firstAttemptAt, HEADER.queue, HEADER.reason],
        ...[HEADER.routingKey, HEADER.stack],
      ]);
      assert.equal(
        sent?.[HEADER.dropped],
        `correlationId, timestamp, mine, ${HEADER.unique}, hopline-forged`,
      );
      assert.equal(sent?.[HEADER.reason], 'exhausted');
      assert.deepEqual([rest.type, rest.correlationId, rest.timestamp], ['order', undefined, undefined]);
      assert.equal(message.body.toString(), 'as it came');
      session.last.confirm.resolve();
      await clock.settle();
      assert.equal(delivery.settled, 'ack');
    });

    it('in no form is moved by the broker itself, and not before there is a queue for it', async () => {
      session.refuses = 10;
      session.refusal = TOO_LARGE;
      session.hasDeadQueue = false;
      const { delivery } = settle(DEAD);
      await clock.advance(10_000);
      assert.equal(session.publishes.length, 2, 'both forms');
      assert.equal(delivery.settled, undefined);
      session.hasDeadQueue = true;
      await clock.advance(30_000);
      assert.equal(delivery.settled, 'reject');
      assert.deepEqual(told, ['held', 'let go', 'message.deadLettered']);
      assert.ok(log.some((line) => line.includes('the broker moves the message itself')));
    });

    it('in no form gives its lease back, after the reject: that it has ended nobody may believe who gets it again', async () => {
      for (const lost of [false, true]) {
        session.refuses = 10;
        session.refusal = new InvalidMessageError('it can never be written', 'Mend it.');
        const work = workFor();
        const delivery = work.received.delivery as TestDelivery;
        const ends: string[] = [];
        work.lease = {
          ...{ isHeld: true, isLost: false, isDone: false },
          finish: async () => void ends.push('finished'),
          release: async () => void ends.push(`released after ${delivery.settled}`),
        } as unknown as AttemptLease;
        delivery.lost = lost;
        void settler.settle(work, DEAD);
        await clock.settle();
        assert.deepEqual(ends, [`released after ${lost ? undefined : 'reject'}`]);
        assert.deepEqual(told.splice(0), lost ? [] : ['message.deadLettered']);
      }
    });

    for (const code of [403, 404]) {
      it(`with ${code} is what the queue suffers from, not the message: it is held`, async () => {
        session.refuses = 10;
        session.refusal = closedFor(code);
        const { delivery } = settle(RETRY);
        await clock.advance(5_000);
        assert.equal(delivery.settled, undefined);
        assert.deepEqual(told, ['held']);
        giveUp.abort();
        await clock.settle();
      });
    }
  });

  describe('a delivery whose way has broken off', () => {
    const broken = new TypeError('a bug');

    it('is dead-lettered as internal, with what broke it', async () => {
      const delivery = new TestDelivery();
      const ending = settler.endBroken(workFor(undefined, delivery), broken);
      await clock.settle();
      const { headers = {} } = session.last.message.properties;
      assert.deepEqual([headers[HEADER.reason], headers[HEADER.error]], ['internal', 'TypeError: a bug']);
      session.last.confirm.resolve();
      await ending;
      assert.equal(delivery.settled, 'ack');
      assert.deepEqual(told, ['message.deadLettered']);
    });

    it('is left alone if it is settled already, or its channel is gone', async () => {
      const [settled, lost] = [new TestDelivery(), new TestDelivery()];
      settled.ack();
      lost.lost = true;
      for (const delivery of [settled, lost]) await settler.endBroken(workFor(undefined, delivery), broken);
      assert.deepEqual(session.publishes, []);
    });

    it('goes back to its queue if even that breaks', async () => {
      const delivery = new TestDelivery();
      const work = workFor(undefined, delivery);
      Object.defineProperty(work, 'chain', {
        get() {
          throw broken;
        },
      });
      await settler.endBroken(work, broken);
      assert.equal(delivery.settled, 'requeue');
    });
  });
});
