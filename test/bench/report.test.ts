import assert from 'node:assert/strict';
import { bench } from './bench.js';

const { median, percentile, spread } = await bench('lib/statistics.js');
const { scenarioTable, spreadText } = await bench('lib/tables.js');
const { barChart } = await bench('lib/svg.js');
const { withTables } = await bench('lib/page.js');
const { verdictTable } = await bench('lib/verdict.js');

const flat = (value: number) => ({ median: value, min: value, max: value });

function row(id: string, kind: string, figures: Record<string, number>, failure?: string) {
  const spreads = Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, flat(value)]));
  return { peer: { id, name: id, kind }, figures: spreads, ratios: {}, failure };
}

const outcome = (rows: unknown[], id = 'consume-null', shows = 'cpu') => ({
  scenario: { id, title: id, shows },
  rows,
  n: 10,
  repeats: 1,
});

describe("the bench's statistics", () => {
  it('take the middle of an odd number, and between the two of an even one', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 2, 9]), 3);
  });

  it('give the spread with its ends', () => {
    assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  });

  it('give a percentile that is one of the values', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.equal(percentile(values, 0.5), 51);
    assert.equal(percentile(values, 0.99), 100);
  });
});

describe("the bench's tables", () => {
  it('put the best first, and what has failed last, with the reason', () => {
    const table: string = scenarioTable(
      outcome([
        row('broken', 'peer', {}, 'no such | thing'),
        row('slow', 'peer', { cpuPerMessageUs: 20 }),
        row('fast', 'ours', { cpuPerMessageUs: 5 }),
      ]),
    );
    const names = table
      .split('\n')
      .slice(2)
      .map((line) => line.split(' ')[1]);
    assert.deepEqual(names, ['**fast**', 'slow', 'broken']);
    assert.match(table, /\*\*left out\*\*: no such \\\| thing/);
  });

  it('show from where to where the repeats went', () => {
    assert.equal(spreadText({ median: 1234.5, min: 1000, max: 2000 }, 1), '1,234.5 (1,000.0–2,000.0)');
    assert.equal(spreadText(flat(7)), '7');
  });

  it('say of each promise whether it holds, and what was not measured', () => {
    const rows = [
      row('amqplib', 'raw', { cpuPerMessageUs: 10 }),
      row('hopline', 'ours', { cpuPerMessageUs: 5 }),
    ];
    const table: string = verdictTable([outcome(rows)], {});
    assert.match(table, /\| consume, null broker, CPU \| ≤ 0\.6 × amqplib, ack each \| 0\.50 × \| yes \|/);
    assert.match(table, /\| publish, null broker, CPU \| [^|]+ \| not measured \| – \|/);
  });

  it('say no where a promise is missed', () => {
    const rows = [
      row('amqplib', 'raw', { cpuPerMessageUs: 10 }),
      row('hopline', 'ours', { cpuPerMessageUs: 9 }),
    ];
    assert.match(verdictTable([outcome(rows)], {}), /0\.90 × \| \*\*no\*\* \|/);
  });

  it('show of requests what each of the two processes has cost, and judge them beside golevelup', () => {
    const figures = (cpu: number) => ({
      ...{ perSecond: 1_000, cpuPerMessageUs: cpu, requesterCpuUs: cpu - 10, responderCpuUs: 10 },
      p99Ms: 4,
    });
    const rows = [row('golevelup', 'peer', figures(100)), row('hopline', 'ours', figures(70))];
    const requests = outcome(rows, 'rpc', 'requests');
    assert.match(scenarioTable(requests), /\| \*\*hopline\*\* \| 1,000 \| 70\.0 \| 60\.0 \| 10\.0 \|/);
    const table: string = verdictTable([requests], {}, { unmeasured: false });
    assert.match(table, /\| requests a second \| ≥ 1\.3 × golevelup \| 1\.00 × \| \*\*no\*\* \|/);
    assert.match(table, /client CPU of both processes \| ≤ 0\.8 × golevelup \| 0\.70 × \| yes \|/);
    assert.match(table, /p99 under load \| ≤ golevelup \| 1\.00 × \| yes \|/);
  });

  it('replace what stands between the marks of the page, and nothing else', () => {
    const page = 'before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n';
    assert.equal(
      withTables(page, 'new'),
      'before\n<!-- bench: begin -->\n\nnew\n\n<!-- bench: end -->\nafter\n',
    );
    assert.throws(() => withTables('no marks', 'new'), /expected <!-- bench: begin -->/);
  });
});

describe("the bench's plots", () => {
  const svg: string = barChart({
    title: 'a < b & "c"',
    note: 'note',
    bars: [
      { label: 'one', spread: { median: 5, min: 4, max: 8 } },
      { label: '<two>', spread: flat(3), ours: true },
    ],
    text: String,
  });

  it('are well-formed: each element is closed, and text is escaped', () => {
    const open: string[] = [];
    for (const [, slash, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*)>/g)) {
      if (slash) assert.equal(open.pop(), name);
      else if (!rest?.endsWith('/')) open.push(name as string);
    }
    assert.deepEqual(open, []);
    assert.ok(svg.includes('a &lt; b &amp; "c"') || svg.includes('a &lt; b &amp; &quot;c&quot;'));
    assert.doesNotMatch(svg, /&(?!amp;|lt;|quot;)/);
  });

  it('have a whisker where the repeats differ, and none where they do not', () => {
    assert.equal(svg.match(/class="whisker"/g)?.length, 3);
    assert.equal(svg.match(/class="bar ours"/g)?.length, 1);
  });
});
