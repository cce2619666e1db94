import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Line } from '../../../src/util/line.js';

describe('Line', () => {
  it('is first in, first out, and takes back to their places what was taken, in any order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ kind: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ kind: fc.constant('back' as const), picks: fc.array(fc.nat(), { maxLength: 30 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const line = new Line<number>();
        let model: number[] = [];
        const out: number[] = [];
        let next = 0;
        for (const each of steps) {
          if (each.kind === 'push') {
            for (let count = each.count; count > 0; count -= 1) {
              line.push(next);
              model.push(next);
              next += 1;
            }
          } else if (each.kind === 'shift') {
            for (let count = each.count; count > 0; count -= 1) {
              const item = line.shift();
              assert.equal(item, model.shift());
              if (item !== undefined) out.push(item);
            }
          } else {
            for (const pick of each.picks) {
              if (out.length === 0) continue;
              const [item] = out.splice(pick % out.length, 1) as [number];
              line.putBack(item, (other) => other < item);
              model = [...model, item].sort((a, b) => a - b);
            }
          }
          assert.equal(line.size, model.length);
          assert.equal(line.first, model[0]);
        }
      }),
      { numRuns: 50 },
    );
  });
});
