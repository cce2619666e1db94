import assert from 'node:assert/strict';
import fc from 'fast-check';
import { strictOrder, WeightedOrder } from '../../../src/consume/handlers/lane-order.js';

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

function served(order: WeightedOrder, waiting: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => order.next(waiting));
}

const countsOf = (lanes: readonly number[], of: number) =>
  Array.from({ length: of }, (_, lane) => lanes.filter((each) => each === lane).length);

describe('the strict order of lanes', () => {
  it('is the first that waits', () => {
    assert.equal(strictOrder.next([0, 1, 2]), 0);
    assert.equal(strictOrder.next([1, 2]), 1);
  });
});

describe('the order of lanes by weights', () => {
  it('spreads the shares: no lane has all of its own in one go', () => {
    assert.deepEqual(served(new WeightedOrder([5, 2, 1]), [0, 1, 2], 8), [0, 1, 0, 0, 2, 0, 1, 0]);
  });

  it('gives each lane exactly its share of every round while all wait', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 4 }), (given, rounds) => {
        const order = new WeightedOrder(given);
        const all = [...given.keys()];
        for (let round = 0; round < rounds; round += 1)
          assert.deepEqual(countsOf(served(order, all, sum(given)), given.length), given);
      }),
    );
  });

  it('serves only lanes that wait, and lets none of them wait for more than the others may have together', () => {
    const turns = fc.array(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), { maxLength: 300 });
    fc.assert(
      fc.property(weights, turns, (given, arrivals) => {
        const order = new WeightedOrder(given);
        const passedOver = given.map(() => 0);
        for (const arrival of arrivals) {
          const waiting = [...given.keys()].filter((lane) => arrival[lane]);
          if (waiting.length === 0) continue;
          const lane = order.next(waiting);
          assert.ok(waiting.includes(lane));
          for (const other of waiting)
            passedOver[other] = other === lane ? 0 : (passedOver[other] as number) + 1;
          for (const other of waiting) {
            const weight = given[other] as number;
            const bound = given.length * Math.ceil(sum(given) / weight);
            assert.ok((passedOver[other] as number) <= bound, `${passedOver[other]} times, ${bound} allowed`);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('an idle lane saves nothing up: when it fills again it has its share and no more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 1_000 }),
        (busy, idle, idleTurns) => {
          const order = new WeightedOrder([busy, idle]);
          served(order, [0], idleTurns);
          assert.deepEqual(countsOf(served(order, [0, 1], busy + idle), 2), [busy, idle]);
        },
      ),
    );
  });
});
