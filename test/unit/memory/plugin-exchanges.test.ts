import assert from 'node:assert/strict';
import { Bus, memory, TopologyError } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';

describe('an exchange of a type that a plugin brings, in memory', () => {
  it('is refused at start', async () => {
    const exchange = {
      name: 'late',
      type: 'x-delayed-message',
      arguments: { 'x-delayed-type': 'direct' },
    } as const;
    const bus = new Bus({ service: 'shop', transport: memory() }).handle('k', () => {}, { exchange });
    await assert.rejects(bus.start(), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.match(error.message, /unknown exchange type 'x-delayed-message': the memory transport has/);
      return true;
    });
  });

  it('leads all messages of a key to one queue, by the weights of the queues, if it is one for consistent hashing', async () => {
    const exchange = { name: 'by-key', type: 'x-consistent-hash' } as const;
    const transport = memory();
    const got: Map<string, number>[] = [new Map(), new Map()];
    const buses = [undefined, '3'].map((key, index) =>
      new Bus({ service: `shop-${index}`, transport }).handle(
        '#',
        (_, { routingKey }) => {
          const counts = got[index] as Map<string, number>;
          counts.set(routingKey, (counts.get(routingKey) ?? 0) + 1);
        },
        { exchange, ...(key && { binding: { key } }) },
      ),
    );
    for (const bus of buses) await bus.start();
    for (const _round of [1, 2])
      for (let number = 0; number < 400; number += 1)
        await buses[0]?.publish(`order-${number}`, number, { exchange });
    const counts = () => got.map((each) => [...each.values()]);
    await eventually(() =>
      assert.equal(
        counts()
          .flat()
          .reduce((sum, each) => sum + each, 0),
        800,
      ),
    );
    assert.deepEqual([...new Set(counts().flat())], [2], 'both messages of a key went to one queue');
    const share = (got[1] as Map<string, number>).size / 400;
    assert.ok(share > 0.65 && share < 0.85, `${share} of the keys, with three quarters of the weight`);
    for (const bus of buses) await bus.stop();
  });
});
