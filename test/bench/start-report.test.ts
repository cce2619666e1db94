import assert from 'node:assert/strict';
import { bench } from './bench.js';

const { BUDGETS, startReport } = await bench('lib/start-report.js');

const flat = (value: number) => ({ median: value, min: value, max: value });
const references = { importMs: flat(100), nodeMs: flat(40) };
const good = {
  name: 'hopline',
  importMs: flat(150),
  helpMs: flat(60),
  workMs: flat(300),
  bytes: 1_500_000,
  packages: 12,
};

describe("the bench's report of a start", () => {
  it('breaks no budget with what is exactly allowed', () => {
    const limits = {
      importMs: flat(180),
      helpMs: flat(72),
      bytes: BUDGETS.bytes,
      packages: BUDGETS.packages,
    };
    assert.deepEqual(startReport({ ...good, ...limits }, [], references).broken, []);
  });

  it('names each budget that is broken, with the figure and what it may be', () => {
    const heavy = { importMs: flat(181), helpMs: flat(200), bytes: 3_400_001, packages: 21 };
    const { broken, table } = startReport({ ...good, ...heavy }, [], references);
    assert.deepEqual(broken, [
      "import('hopline'): 1.81 × amqplib, which may be 1.80 × amqplib at most",
      'hopline --help: 5.00 × node -e 0, which may be 1.80 × node -e 0 at most',
      'bytes unpacked: 3,400,001, which may be 3,400,000 at most',
      'packages installed: 21, which may be 20 at most',
    ]);
    assert.equal(table.match(/\*\*no\*\*/g)?.length, 4);
  });

  it('shows another build beside it, which is not judged', () => {
    const other = { ...good, name: 'before', importMs: flat(900), workMs: flat(750), packages: 53 };
    const { broken, table } = startReport(good, [other], references);
    assert.deepEqual(broken, []);
    assert.match(table, /\| import, ms \| 150 \| 900 \| 1\.50 × amqplib \| ≤ 1\.80 × amqplib \| yes \|/);
    assert.match(table, /\| `work` to the first message, ms \| 300 \| 750 \| 0\.40 × before \| – \| – \|/);
    assert.match(table, /\| packages installed \| 12 \| 53 \| 12 \| ≤ 20 \| yes \|/);
  });

  it('says what amqplib and Node.js took in the same run', () => {
    const { table } = startReport(good, [], references);
    assert.match(table, /amqplib is imported in 100 ms; `node -e 0` takes 40 ms\./);
  });
});
