import assert from 'node:assert/strict';
import { topologyTree } from '../../../src/cli/topology/tree.js';
import { Bus, memory } from '../../../src/index.js';

const application = new Bus({ service: 'shop', transport: memory() })
  .handle('#', () => {}, { name: 'legacy', queue: { name: 'legacy.orders', declare: false } })
  .handle('k', () => {}, { name: 'own' })
  .describe();

it('the tree of a topology shows a queue of someone else as that, bound to nothing that is known', () => {
  const lines = topologyTree(application).map((line) => line.replaceAll(/[├└│─]/g, '').trim());
  assert.ok(lines.includes('queue legacy.orders (of someone else)'), lines.join('\n'));
  assert.ok(lines.includes('#  → legacy'), lines.join('\n'));
  assert.ok(
    lines.some((line) => /^k {2}of .+ → own$/.test(line)),
    lines.join('\n'),
  );
});
