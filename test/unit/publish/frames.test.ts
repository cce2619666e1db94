import assert from 'node:assert/strict';
import type { Transport, TransportSession } from '../../../src/transport/transport.js';
import { BusBench } from '../bus-bench.js';
import { framesOfOurs } from '../frames.js';

/** How a plain publish may be called through our files: whoever debugs one reads them. */
const FROM_PUBLISH_TO_TRANSPORT = 5;

describe('the stack of a publish that asks for nothing', () => {
  it(`has at most ${FROM_PUBLISH_TO_TRANSPORT} frames of ours before the transport`, async () => {
    const bench = new BusBench();
    const stacks: string[][] = [];
    const { transport } = bench;
    const bus = bench.bus({
      transport: Object.assign(Object.create(transport) as Transport, {
        open: async (...given: Parameters<Transport['open']>) => {
          const session = await transport.open(...given);
          const publish: TransportSession['publish'] = (message) => {
            stacks.push(framesOfOurs());
            return session.publish(message);
          };
          return Object.assign(Object.create(session), { publish });
        },
      }),
    });
    await bus.start();
    for (let message = 0; message < 3; message += 1) await bus.publish('a', {});
    await bench.close();
    assert.equal(stacks.length, 3);
    for (const frames of stacks) {
      assert.match(frames.at(-1) ?? '', /Bus\.publish/);
      assert.ok(frames.length <= FROM_PUBLISH_TO_TRANSPORT, frames.join('\n'));
    }
  });
});
