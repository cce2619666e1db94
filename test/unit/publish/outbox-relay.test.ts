import assert from 'node:assert/strict';
import { PublishRejectedError } from '../../../src/errors.js';
import type { BusEvents } from '../../../src/events.js';
import { OutboxRelay } from '../../../src/features/outbox/outbox-relay.js';
import { encodeOutboxMessage } from '../../../src/message/wire/outbox-message.js';
import type { OutboxStore, RelayedEntries, TakenEntry } from '../../../src/stores/outbox.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { pause } from '../../../src/util/clock.js';
import { Emitter } from '../../../src/util/emitter.js';
import { silentLogger } from '../../../src/util/logger.js';

function messageOf(key: string): string {
  const step = { key, type: key, body: Buffer.from('1'), contentType: 'application/json' };
  return encodeOutboxMessage({
    step: { ...step, options: { exchange: 'e' } },
    mustRoute: true,
    chain: undefined,
  });
}

/** As the one in PostgreSQL, for one relay. */
class ListedOutbox implements Pick<OutboxStore, 'relay' | 'listen'> {
  readonly refused: RelayedEntries['refused'][number][] = [];
  private readonly waiting: (TakenEntry & { dueAt: number })[] = [];
  /** True while entries that are added wake the relay. */
  isResting = false;
  /** False while a transaction is open that has added some without waking it. */
  canRest = true;
  /** What `rise` fails with. */
  trouble: Error | undefined;
  listened = 0;
  isAway = false;
  private wake = () => {};

  constructor(private readonly clock: ManualClock) {}

  add(id: string, orderKey?: string, routingKey = id): void {
    const row = { id, messageId: id, routingKey, orderKey, message: messageOf(routingKey) };
    this.waiting.push({ ...row, waitedMs: 0, refusals: 0, dueAt: 0 });
    if (this.isResting) this.wake();
  }

  async relay(
    atMost: number,
    publish: (entries: readonly TakenEntry[]) => Promise<RelayedEntries>,
  ): Promise<number> {
    if (this.isAway) throw new Error('the database is away');
    const isDue = ({ dueAt }: { dueAt: number }) => dueAt <= this.clock.monotonic();
    const isHeldUp = ({ orderKey }: TakenEntry) =>
      orderKey !== undefined && this.waiting.some((each) => each.orderKey === orderKey && !isDue(each));
    const taken = this.waiting.filter((each) => isDue(each) && !isHeldUp(each)).slice(0, atMost);
    if (taken.length === 0) return 0;
    const { published, refused } = await publish(taken);
    for (const id of published) this.waiting.splice(this.at(id), 1);
    for (const { id, againMs } of refused)
      Object.assign(this.waiting[this.at(id)] ?? {}, { dueAt: this.clock.monotonic() + againMs });
    this.refused.push(...refused);
    return taken.length;
  }

  async listen(wake: () => void) {
    if (this.isAway) throw new Error('the database is away');
    this.wake = wake;
    this.listened += 1;
    const listening = {
      isOn: true,
      end: () => {
        listening.isOn = false;
        this.isResting = false;
      },
      rest: async () => {
        this.isResting ||= this.canRest;
        return this.isResting;
      },
      rise: async () => {
        if (this.trouble) throw this.trouble;
        this.isResting = false;
      },
    };
    return listening;
  }

  private at(id: string): number {
    return this.waiting.findIndex((each) => each.id === id);
  }
}

describe('a relay of an outbox', () => {
  let clock: ManualClock;
  let outbox: ListedOutbox;
  let relay: OutboxRelay;
  let publish: (key: string, deadlineMs?: number, id?: string) => Promise<void>;
  let taken: (id: string) => void;
  const published = new Map<string, number>();

  beforeEach(() => {
    clock = new ManualClock();
    outbox = new ListedOutbox(clock);
    published.clear();
    publish = async () => {};
    taken = () => {};
    relay = new OutboxRelay({
      service: 'relay',
      outbox: outbox as unknown as OutboxStore,
      steps: {
        deliver: async ({ step, deadlineMs }, messageId) => {
          await publish(step.key, deadlineMs, messageId);
          published.set(messageId, clock.monotonic());
          taken(messageId);
          return { messageId, confirmed: true, dueAt: undefined };
        },
      },
      clock,
      log: silentLogger,
      events: new Emitter<BusEvents>((_name, error) => assert.fail(String(error))),
    });
  });
  afterEach(async () => {
    const stopping = relay.stop();
    await clock.advance(60_000);
    await stopping;
  });

  it('records what the broker has refused, also if it has taken nothing else', async () => {
    publish = async () => {
      throw new PublishRejectedError('nack', 'look at the queue');
    };
    outbox.add('full');
    relay.start();
    await clock.advance(500);
    assert.deepEqual(outbox.refused, [{ id: 'full', error: 'nack', againMs: 1_000 }]);
  });

  it('tries again soon when something is added, however long it pauses for want of a broker', async () => {
    publish = async (key) => {
      if (key === 'late') throw new Error('no confirm came');
    };
    outbox.add('late');
    relay.start();
    await clock.advance(180_000);
    assert.deepEqual(outbox.refused, []);
    const addedAt = clock.monotonic();
    outbox.add('good');
    await clock.advance(1_000);
    const after = (published.get('good') ?? Number.POSITIVE_INFINITY) - addedAt;
    assert.ok(after <= 500, `${after} ms`);
    assert.equal(outbox.refused.length, 1, 'of the other it is known then that it is its own trouble');
  });

  it('looks each second for want of a broker while what is added can not wake it', async () => {
    publish = async (key) => {
      if (key === 'late') throw new Error('no confirm came');
    };
    outbox.canRest = false;
    outbox.add('late');
    relay.start();
    await clock.advance(180_000);
    const addedAt = clock.monotonic();
    outbox.add('good');
    await clock.advance(2_000);
    const after = (published.get('good') ?? Number.POSITIVE_INFINITY) - addedAt;
    assert.ok(after <= 1_500, `${after} ms`);
  });

  it('asks to be woken again while it rests, also for want of a broker: it may have rested by the lock of another', async () => {
    relay.start();
    await clock.advance(5_000);
    assert.equal(outbox.isResting, true);
    outbox.isResting = false;
    await clock.advance(1_000);
    assert.equal(outbox.isResting, true);
    publish = async () => {
      throw new Error('no confirm came');
    };
    outbox.add('late');
    await clock.advance(180_000);
    outbox.isResting = false;
    await clock.advance(1_600);
    assert.equal(outbox.isResting, true);
  });

  it('goes on when it can not say that it rests no longer, on another connection', async () => {
    outbox.trouble = new Error('the connection is lost');
    relay.start();
    await clock.advance(5_000);
    outbox.add('first');
    await clock.advance(100);
    outbox.add('second');
    await clock.advance(200);
    assert.deepEqual([...published.keys()], ['first', 'second']);
    assert.equal(outbox.listened, 2);
  });

  it('looks soon when the database is back, however long it pauses', async () => {
    outbox.isAway = true;
    relay.start();
    await clock.advance(180_000);
    outbox.isAway = false;
    const backAt = clock.monotonic();
    outbox.add('first');
    await clock.advance(2_000);
    const after = (published.get('first') ?? Number.POSITIVE_INFINITY) - backAt;
    assert.ok(after <= 1_500, `${after} ms`);
  });

  it('gives one message a few seconds: what is added meanwhile waits for it', async () => {
    publish = async (key, deadlineMs) => {
      if (key !== 'slow') return;
      await pause(clock, deadlineMs ?? Number.POSITIVE_INFINITY);
      throw new Error('no confirm came');
    };
    outbox.add('slow');
    outbox.add('quick');
    relay.start();
    await clock.advance(1_000);
    outbox.add('added meanwhile');
    await clock.advance(6_000);
    assert.deepEqual([...published.keys()], ['quick', 'added meanwhile']);
  });

  it('ends a round in time whose key has many: what is added meanwhile does not wait for all of them', async () => {
    publish = async (key) => {
      if (key.startsWith('slow')) await pause(clock, 2_000);
    };
    for (let number = 0; number < 50; number += 1) outbox.add(`slow ${number}`, 'account');
    relay.start();
    await clock.advance(1_000);
    outbox.add('added meanwhile');
    await clock.advance(7_000);
    assert.ok(published.has('added meanwhile'));
    await clock.advance(100_000);
    assert.equal(published.size, 51);
    const slow = [...published.keys()].filter((key) => key.startsWith('slow'));
    assert.deepEqual(
      slow,
      Array.from({ length: 50 }, (_, number) => `slow ${number}`),
    );
  });

  it('sends nothing of a key behind one that is refused, until that is taken', async () => {
    let refusals = 0;
    publish = async (_key, _deadlineMs, id) => {
      if (id === 'third' && refusals++ === 0) throw new PublishRejectedError('nack', 'look at the queue');
    };
    for (const id of ['first', 'second', 'third', 'fourth', 'fifth']) outbox.add(id, 'account', 'changed');
    const order: string[] = [];
    taken = (id) => order.push(id);
    relay.start();
    await clock.advance(500);
    assert.deepEqual(order, ['first', 'second']);
    await clock.advance(3_000);
    assert.deepEqual(order.slice(2), ['third', 'fourth', 'fifth']);
  });
});
