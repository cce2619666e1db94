import assert from 'node:assert/strict';
import type { OutgoingMessage } from '../../../src/message/message.js';
import type { Probe } from '../../../src/transport/amqp/connection/probe.js';
import { StallWatch } from '../../../src/transport/amqp/connection/stall-watch.js';
import type { BrokerAddress } from '../../../src/transport/amqp/options.js';
import { PendingPublish } from '../../../src/transport/amqp/publish/pending-publish.js';
import type { Finding } from '../../../src/transport/amqp/publish/second-look.js';
import { eventually } from '../../support/eventually.js';

describe('the watch over confirms', () => {
  it('says nothing while the broker answers, however much waits', () => {
    const { watch, publisher, told } = bench();
    for (let second = 0; second < 60; second += 1) {
      publisher.waits(`message ${second}`);
      publisher.answers += 1;
      watch.tick();
    }
    assert.deepEqual(told, []);
  });

  it('calls it a stall after 8 s in which something waited and nothing was answered', () => {
    const { watch, publisher, told } = bench();
    publisher.waits('a');
    ticks(watch, 7);
    assert.deepEqual(told, []);
    watch.tick();
    assert.equal(told[0], 'stalled');
  });

  it('takes an event loop that was blocked for one second, however long it was', () => {
    // One tick is all that comes of it: the answers are read before the next.
    const { watch, publisher, told } = bench();
    publisher.waits('a');
    ticks(watch, 7);
    publisher.answers += 1;
    publisher.waits('b');
    ticks(watch, 7);
    assert.deepEqual(told, []);
  });

  it('expects nothing of a blocked connection, nor without one', () => {
    const { watch, publisher, told, publish } = bench();
    publisher.waits('a');
    publish.isBlocked = true;
    ticks(watch, 20);
    publish.isBlocked = false;
    publish.model = undefined;
    ticks(watch, 20);
    assert.deepEqual(told, []);
  });

  it('gives a new connection as long as the one before, also if that came between two looks', () => {
    const { watch, publisher, told, publish } = bench();
    publisher.waits('a');
    ticks(watch, 7);
    publish.model = {} as never;
    ticks(watch, 8);
    assert.deepEqual(told, []);
    watch.tick();
    assert.deepEqual(told, ['stalled']);
  });

  it('moves both connections to the next address if what waits longest is confirmed there, and that ends it', async () => {
    const { watch, publisher, told, looks } = bench(['confirmed']);
    const waiting = publisher.waits('a');
    ticks(watch, 8);
    await eventually(() => assert.deepEqual(told, ['stalled', 'moved to b:1']));
    assert.deepEqual(looks, ['b:1 a']);
    assert.deepEqual(publisher.elsewhere, [waiting]);
  });

  it('stays if the broker answers while the other address does: it was an election, or a disk', async () => {
    const { watch, publisher, told, looks } = bench(['confirmed']);
    publisher.waits('a');
    ticks(watch, 8);
    await eventually(() => assert.equal(looks.length, 1));
    publisher.waits('b');
    publisher.answers += 1;
    watch.tick();
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual(told, ['stalled', 'flowing']);
  });

  it('stays if it is confirmed nowhere, as for a queue without quorum, and looks again after 10, 20 … 300 s', async () => {
    const { watch, publisher, told, looks } = bench(['not confirmed']);
    publisher.waits('a');
    const at: number[] = [];
    for (let second = 1; second <= 1_600; second += 1) {
      const before = looks.length;
      watch.tick();
      await new Promise(setImmediate);
      if (looks.length > before) at.push(second);
    }
    const pauses = at.slice(1).map((second, index) => second - (at[index] as number));
    assert.equal(at[0], 8);
    assert.deepEqual(pauses.slice(0, 8), [10, 20, 40, 80, 160, 300, 300, 300]);
    assert.deepEqual(told, ['stalled']);
  });

  it('passes an address over that can not be reached', async () => {
    const { watch, publisher, told, looks } = bench(['unreachable', 'confirmed']);
    publisher.waits('a');
    ticks(watch, 8);
    await eventually(() => assert.deepEqual(told, ['stalled', 'moved to c:1']));
    assert.deepEqual(looks, ['b:1 a', 'c:1 a']);
  });

  it('looks for one publish that waits though others are confirmed, and is not red for it', async () => {
    const { watch, publisher, told, looks } = bench(['not confirmed']);
    publisher.waits('a');
    for (let second = 0; second < 8; second += 1) {
      publisher.answers += 1;
      watch.tick();
    }
    await eventually(() => assert.deepEqual(looks, ['b:1 a']));
    assert.deepEqual(told, []);
  });

  it('sends a probe on both ways if all that waits has ended, and stays where that is confirmed', async () => {
    const { watch, publisher, told, looks } = bench(['confirmed']);
    publisher.waits('a').ended = true;
    publisher.confirmsProbes = true;
    ticks(watch, 8);
    await eventually(() => assert.equal(publisher.forgotten, 1));
    assert.deepEqual(looks, ['b:1 probe']);
    assert.deepEqual(publisher.published, ['probe']);
    assert.ok(!told.some((each) => each.startsWith('moved')));
  });

  it('sends a probe when nothing was delivered for 20 s to who consumes, and that is what waits then', async () => {
    const { watch, publisher, told, consume } = bench(['confirmed']);
    watch.consumers = 1;
    for (let second = 0; second < 60; second += 1) {
      consume.deliveries += 1;
      watch.tick();
    }
    assert.deepEqual(publisher.published, []);
    ticks(watch, 20);
    assert.deepEqual(publisher.published, ['probe']);
    ticks(watch, 8);
    await eventually(() => assert.deepEqual(told, ['stalled', 'moved to b:1']));
  });

  it('sends no probe for who only publishes', () => {
    const { watch, publisher } = bench();
    ticks(watch, 100);
    assert.deepEqual(publisher.published, []);
  });

  it('moves the connection that consumes alone if it has another address, where a probe is not confirmed', async () => {
    const { watch, told, consume, publisher } = bench(['not confirmed', 'confirmed']);
    watch.consumers = 1;
    consume.address = 'c:1';
    ticks(watch, 20);
    await eventually(() => assert.deepEqual(told, ['consuming moved to a:1']));
    assert.deepEqual(publisher.published, []);
  });
});

function ticks(watch: StallWatch, count: number): void {
  for (let tick = 0; tick < count; tick += 1) watch.tick();
}

const message = (routingKey: string): Probe => ({
  to: 'exchange',
  exchange: 'events',
  routingKey,
  body: Buffer.alloc(0),
  properties: {},
  mustRoute: false,
  deadlineMs: 30_000,
});

class FakePublisher {
  answers = 0;
  unanswered: PendingPublish | undefined;
  confirmsProbes = false;
  forgotten = 0;
  readonly elsewhere: PendingPublish[] = [];
  readonly published: string[] = [];

  waits(routingKey: string): PendingPublish {
    const nothing = () => {};
    const sent = message(routingKey);
    this.unanswered = new PendingPublish(sent, sent, Number.POSITIVE_INFINITY, nothing, nothing);
    return this.unanswered;
  }

  publish(sent: OutgoingMessage): Promise<void> {
    assert.ok(sent.to === 'exchange');
    this.published.push(sent.routingKey);
    if (this.confirmsProbes) return Promise.resolve();
    this.unanswered ??= this.waits(sent.routingKey);
    return new Promise(() => {});
  }

  confirmedElsewhere(pending: PendingPublish): void {
    this.elsewhere.push(pending);
  }

  forgetEnded(): void {
    this.forgotten += 1;
  }
}

/** @param findings of the looks in their order; the last goes on */
function bench(findings: Finding[] = ['not confirmed']) {
  const told: string[] = [];
  const looks: string[] = [];
  const publish = {
    model: {} as never,
    isBlocked: false,
    address: 'a:1',
    setStalled: (isStalled: boolean) => void told.push(isStalled ? 'stalled' : 'flowing'),
  } as { model: never | undefined; isBlocked: boolean; address: string; setStalled(is: boolean): void };
  const consume = {
    model: {} as never,
    isBlocked: false,
    address: 'a:1',
    deliveries: 0,
    move: ({ name }: BrokerAddress) => void told.push(`consuming moved to ${name}`),
  };
  const all = ['a:1', 'b:1', 'c:1'].map((name) => ({ name }) as BrokerAddress);
  const watch = new StallWatch({
    publish,
    consume,
    others: async (than) => all.filter(({ name }) => name !== than),
    look: async ({ name }, { address }) => {
      looks.push(`${name} ${address.routingKey}`);
      return (findings.length > 1 ? findings.shift() : findings[0]) as Finding;
    },
    move: ({ name }) => void told.push(`moved to ${name}`),
  });
  const publisher = new FakePublisher();
  watch.add(publisher);
  watch.addProbe(publisher, message('probe'));
  return { watch, publisher, told, looks, publish, consume };
}
