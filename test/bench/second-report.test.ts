import assert from 'node:assert/strict';
import { bench } from './bench.js';

const ROW = {
  id: 'any',
  title: 'What it costs',
  unit: 'message',
  reach: [
    { figure: 'perSecond', of: 'by hand', atLeast: 3 },
    { figure: 'postgres', atMost: 40 },
  ],
};
const OURS = [
  { perSecond: 3_000, client: 10, postgres: 50 },
  { perSecond: 2_000, client: 30, postgres: 38 },
  { perSecond: 9_000, client: 20, postgres: 39 },
];
const BY_HAND = [{ perSecond: 1_000, client: 40, postgres: 100 }];

describe('the tables of what features cost', () => {
  it('have the median, the least and the most of each case, and the sum of all CPU', async () => {
    const { outcomeOf, secondTables } = await bench('second/report.js');
    const table = secondTables([outcomeOf(ROW, { ours: OURS, 'by hand': BY_HAND })]);
    assert.match(table, /^### What it costs\n/);
    assert.match(
      table,
      /\| ours \| 3,000 \(2,000–9,000\) \| 20\.0 \(10\.0–30\.0\) \| 39\.0 \(38\.0–50\.0\) \| 60\.0 /,
    );
    assert.match(table, /\| by hand \| 1,000 \| 40\.0 \| 100\.0 \| 140\.0 \|/);
  });

  it('say what our case reaches, by its median, and what it falls short of', async () => {
    const { outcomeOf } = await bench('second/report.js');
    const judged = (runs: object) =>
      outcomeOf(ROW, runs).reach.map(({ holds }: { holds?: boolean }) => holds);
    assert.deepEqual(judged({ ours: OURS, 'by hand': BY_HAND }), [true, true]);
    const slow = [{ perSecond: 2_999, client: 1, postgres: 41 }];
    assert.deepEqual(judged({ ours: slow, 'by hand': BY_HAND }), [false, false]);
    assert.deepEqual(
      judged({ ours: OURS }),
      [undefined, true],
      'nothing is held against what was not measured',
    );
  });

  it('tell why a case has failed, in its place', async () => {
    const { outcomeOf, secondTables } = await bench('second/report.js');
    const outcome = outcomeOf(ROW, { ours: OURS, 'by hand': [...BY_HAND, { failure: 'it was away' }] });
    assert.match(secondTables([outcome]), /\| by hand \| it was away \|/);
    assert.match(secondTables([outcome]), /not measured/);
  });
});
