import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PriorityLine } from '../../../src/transport/memory/priority-line.js';

interface Item {
  readonly priority: number;
  readonly position: number;
}

describe('a line by priority', () => {
  it('is the same as sorting by priority and then by arrival, whatever comes, goes and comes back', () => {
    const step = fc.record({
      action: fc.constantFrom('push', 'push', 'shift', 'putBack'),
      priority: fc.integer({ min: 0, max: 4 }),
      pick: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const line = new PriorityLine<Item>(({ priority }) => priority);
        const model: Item[] = [];
        const taken: Item[] = [];
        let position = 0;
        const sort = () =>
          model.sort((left, right) => right.priority - left.priority || left.position - right.position);
        for (const { action, priority, pick } of steps) {
          if (action === 'push') {
            const item = { priority, position: position++ };
            line.push(item);
            model.push(item);
          } else if (action === 'shift') {
            const item = line.shift();
            assert.equal(item, model.shift());
            if (item) taken.push(item);
          } else if (taken.length > 0) {
            const [item] = taken.splice(pick % taken.length, 1) as [Item];
            line.putBack(item, (other) => other.position < item.position);
            model.push(item);
          }
          sort();
          assert.equal(line.size, model.length);
          assert.equal(line.first, model[0]);
        }
      }),
    );
  });
});
