import assert from 'node:assert/strict';
import type { Delivery } from '../../../src/transport/transport.js';
import { Trace, TracedTransport } from '../../support/traced-transport.js';
import { BusBench } from '../bus-bench.js';
import { framesOfOurs } from '../frames.js';

/** How a plain message may be called through our files: whoever debugs a handler reads them. */
const FROM_CONSUMER_TO_HANDLER = 9;
const FROM_OUTCOME_TO_ACK = 4;

describe('the stack of a handler that asks for nothing', () => {
  let bench: BusBench;
  let acks: string[][];
  let transport: TracedTransport;
  beforeEach(() => {
    bench = new BusBench();
    acks = [];
    const trace = new Trace();
    trace.onDelivery = (delivery) => {
      const ack = delivery.ack.bind(delivery);
      Object.assign(delivery, {
        ack: () => {
          acks.push(framesOfOurs());
          return ack();
        },
      } satisfies Partial<Delivery>);
    };
    transport = new TracedTransport(bench.transport, trace);
  });
  afterEach(() => bench.close());

  it(`has at most ${FROM_CONSUMER_TO_HANDLER} frames of ours between the consumer and it`, async () => {
    const stacks: string[][] = [];
    const bus = bench.bus({ transport }).handle('a', () => void stacks.push(framesOfOurs()));
    await bus.start();
    for (let message = 0; message < 3; message += 1) await bus.publish('a', {});
    await bench.clock.settle();
    assert.equal(stacks.length, 3);
    for (const frames of stacks) {
      assert.match(
        frames.at(-1) ?? '',
        /LaneConsumer\.deliver/,
        'it is called from where the consumer hands on',
      );
      assert.ok(frames.length <= FROM_CONSUMER_TO_HANDLER, frames.join('\n'));
    }
  });

  it(`has at most ${FROM_OUTCOME_TO_ACK} frames of ours between the end of its promise and the ack`, async () => {
    const bus = bench.bus({ transport }).handle('a', async () => {});
    await bus.start();
    for (let message = 0; message < 3; message += 1) await bus.publish('a', {});
    await bench.clock.settle();
    assert.equal(acks.length, 3);
    for (const frames of acks) {
      assert.match(frames[0] ?? '', /Settler\./, 'the settler acks');
      assert.ok(frames.length <= FROM_OUTCOME_TO_ACK, frames.join('\n'));
    }
  });
});
