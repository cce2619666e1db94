import assert from 'node:assert/strict';
import type { Channel, ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { ChannelEpoch } from '../../../src/transport/amqp/connection/channel-epoch.js';
import { eventually } from '../../support/eventually.js';

/** The broker's side of a channel: what it has delivered and not seen settled, as RabbitMQ's channel keeps it. */
class BrokerChannel {
  readonly unsettled = new Set<number>();
  readonly acked: number[] = [];
  readonly frames: string[] = [];
  /** Tags that were settled, and were not unsettled. */
  readonly refused: number[] = [];
  private readonly messages: ConsumeMessage[] = [];
  private last = 0;
  readonly epoch: ChannelEpoch;

  constructor(window: number) {
    this.epoch = new ChannelEpoch(this as unknown as Channel);
    this.epoch.window = window;
  }

  deliver(): ConsumeMessage {
    this.last += 1;
    this.unsettled.add(this.last);
    this.epoch.delivered(this.last);
    const message = { fields: { deliveryTag: this.last } } as ConsumeMessage;
    this.messages.push(message);
    return message;
  }

  ack(message: ConsumeMessage, multiple: boolean): void {
    const { deliveryTag } = message.fields;
    this.mustBeDelivered(message);
    this.frames.push(`ack ${deliveryTag}${multiple ? ' and all before' : ''}`);
    this.mustBeUnsettled(deliveryTag);
    for (const tag of [...this.unsettled]) {
      if (tag !== deliveryTag && !(multiple && tag < deliveryTag)) continue;
      this.unsettled.delete(tag);
      this.acked.push(tag);
    }
  }

  nack(message: ConsumeMessage): void {
    const { deliveryTag } = message.fields;
    this.mustBeDelivered(message);
    this.frames.push(`nack ${deliveryTag}`);
    this.mustBeUnsettled(deliveryTag);
    this.unsettled.delete(deliveryTag);
  }

  /** What tracers find its span by. */
  private mustBeDelivered(message: ConsumeMessage): void {
    assert.equal(message, this.messages[message.fields.deliveryTag - 1]);
  }

  /** RabbitMQ closes the channel for it. */
  private mustBeUnsettled(tag: number): void {
    if (!this.unsettled.has(tag)) this.refused.push(tag);
  }
}

function open(window: number): { broker: BrokerChannel; epoch: ChannelEpoch } {
  const broker = new BrokerChannel(window);
  return { broker, epoch: broker.epoch };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('acks of a channel', () => {
  it('go out as one for all that is settled without a gap', async () => {
    const { broker, epoch } = open(100);
    for (let tag = 1; tag <= 10; tag += 1) epoch.ack(broker.deliver());
    assert.deepEqual(broker.frames, []);
    await turn();
    assert.deepEqual(broker.frames, ['ack 10 and all before']);
  });

  it('go out alone behind a message that still runs, and never for it', async () => {
    const { broker, epoch } = open(100);
    const [first, second, third] = [broker.deliver(), broker.deliver(), broker.deliver()];
    epoch.ack(third);
    epoch.ack(second);
    await turn();
    assert.deepEqual(broker.frames, ['ack 2', 'ack 3']);
    epoch.ack(first);
    epoch.ack(broker.deliver());
    await turn();
    assert.deepEqual(broker.frames.slice(2), ['ack 4 and all before']);
  });

  it('name a message that is unsettled, though the next one was given back', async () => {
    const { broker, epoch } = open(100);
    const [first, second, third, fourth] = [
      broker.deliver(),
      broker.deliver(),
      broker.deliver(),
      broker.deliver(),
    ];
    epoch.ack(first);
    epoch.ack(second);
    epoch.requeue(third);
    epoch.requeue(fourth);
    await turn();
    assert.deepEqual(broker.frames, ['nack 3', 'nack 4', 'ack 2 and all before']);
    epoch.ack(broker.deliver());
    await turn();
    assert.equal(broker.unsettled.size, 0);
  });

  it('keep little of what is settled, however long one message runs', async () => {
    const { broker, epoch } = open(10);
    broker.deliver();
    for (let count = 0; count < 10_000; count += 1) epoch.ack(broker.deliver());
    await turn();
    assert.deepEqual([...broker.unsettled], [1]);
    const { unsettled } = epoch as unknown as {
      unsettled: { size: number; tags: readonly number[]; ahead: ReadonlySet<number> };
    };
    assert.equal(unsettled.size, 1);
    assert.ok(unsettled.tags.length + unsettled.ahead.size < 3_000, 'a bounded number of tags is kept');
  });

  it('wait for no more than half of the window', () => {
    const { broker, epoch } = open(10);
    for (let tag = 1; tag <= 5; tag += 1) epoch.ack(broker.deliver());
    assert.deepEqual(broker.frames, ['ack 5 and all before']);
    const alone = open(1);
    alone.epoch.ack(alone.broker.deliver());
    assert.deepEqual(alone.broker.frames, ['ack 1']);
  });

  it('of a channel that ends are one for all, as soon as the last is there, be it given back', async () => {
    const { broker, epoch } = open(10);
    const [first, ...others] = Array.from({ length: 8 }, () => broker.deliver()) as [ConsumeMessage];
    epoch.endSoon();
    for (const each of others) epoch.ack(each);
    await turn();
    assert.deepEqual(broker.frames, []);
    epoch.ack(first);
    assert.deepEqual(broker.frames, ['ack 8 and all before']);
    const other = open(10);
    const [still, done] = [other.broker.deliver(), other.broker.deliver()];
    other.epoch.endSoon();
    other.epoch.ack(done);
    other.epoch.requeue(still);
    assert.deepEqual(other.broker.frames, ['nack 1', 'ack 2']);
  });

  it('of a channel that ends wait no longer than a quarter of a second for one that still runs', async () => {
    const { broker, epoch } = open(10);
    const [, second] = [broker.deliver(), broker.deliver()];
    epoch.endSoon();
    const from = performance.now();
    epoch.ack(second);
    await eventually(() => assert.deepEqual(broker.frames, ['ack 2']));
    assert.ok(performance.now() - from >= 240);
  });

  it('are forgotten with the channel, and say so', async () => {
    const { broker, epoch } = open(100);
    const [first, second] = [broker.deliver(), broker.deliver()];
    assert.equal(epoch.ack(first), true);
    epoch.lose();
    assert.equal(epoch.ack(second), false);
    assert.equal(epoch.requeue(second), false);
    await turn();
    epoch.flush();
    assert.deepEqual(broker.frames, []);
  });

  it('cover what was acked and nothing else, in any order, with messages given back and channels lost', () => {
    // Each step takes the delivery at this place of those that are open.
    const settling = fc.record({
      act: fc.constantFrom('ack', 'ack', 'ack', 'requeue'),
      place: fc.nat({ max: 1_000 }),
    });
    const other = fc.record({
      act: fc.constantFrom('deliver', 'deliver', 'flush', 'lose'),
      place: fc.constant(0),
    });
    const steps = fc.array(fc.oneof(settling, other), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), steps, (window, all) => {
        let { broker, epoch } = open(window);
        let running: ConsumeMessage[] = [];
        let mayBeAcked = new Set<number>();
        for (const { act, place } of all) {
          if (act === 'deliver' && broker.unsettled.size < window) running.push(broker.deliver());
          if (act === 'flush') epoch.flush();
          if (act === 'lose') {
            epoch.lose();
            ({ broker, epoch } = open(window));
            running = [];
            mayBeAcked = new Set();
          }
          if (act !== 'ack' && act !== 'requeue') continue;
          const [message] = running.length > 0 ? running.splice(place % running.length, 1) : [];
          if (message === undefined) continue;
          if (act === 'ack') mayBeAcked.add(message.fields.deliveryTag);
          assert.equal(act === 'ack' ? epoch.ack(message) : epoch.requeue(message), true);
          for (const acked of broker.acked)
            assert.ok(mayBeAcked.has(acked), `${acked} was acked, and still runs`);
        }
        epoch.flush();
        assert.deepEqual(broker.refused, []);
        assert.deepEqual(new Set(broker.acked), mayBeAcked);
        assert.equal(broker.acked.length, mayBeAcked.size);
        assert.deepEqual(
          [...broker.unsettled],
          running.map(({ fields }) => fields.deliveryTag).toSorted((left, right) => left - right),
        );
        epoch.lose();
      }),
      { numRuns: 2_000 },
    );
  });
});
