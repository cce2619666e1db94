import assert from 'node:assert/strict';
import { chartedOf, sumOf } from '../../src/dashboard/pages/series.js';
import type { Series, SeriesName, Watch } from '../../src/dashboard/site/seen.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const HOUR_MS = 3_600_000;

describe('the figures of charts', () => {
  let clock: ManualClock;
  let asked: [SeriesName, string | undefined, number | undefined][];

  beforeEach(() => {
    clock = new ManualClock();
    asked = [];
  });

  const siteOf = (longestMs: number, answer: () => Promise<Series>) => ({
    clock,
    watch: {
      longestMs,
      history: (...question) => {
        asked.push([question[0], question[1], question[2]]);
        return answer();
      },
    } satisfies Pick<Watch, 'longestMs' | 'history'>,
  });
  const known = async (): Promise<Series> => ({ from: 0, stepMs: 5_000, values: new Array(720).fill(2) });
  const query = new URLSearchParams('span=7d');

  it('are those of the last hour where there is no more, whatever is asked for', async () => {
    const charts = await chartedOf(siteOf(HOUR_MS, known), { names: ['handled'], query });
    assert.deepEqual([charts.span, charts.isLong, charts.problem], ['1h', false, undefined]);
    assert.deepEqual(asked, [['handled', undefined, HOUR_MS]]);
    assert.equal(sumOf(charts.of.handled), 720 * 5 * 2);
  });

  it('are asked for once in half a minute where they are of a longer time', async () => {
    const site = siteOf(Number.POSITIVE_INFINITY, known);
    const names = ['run-p50', 'run-p95'] as const;
    for (let looked = 0; looked < 5; looked += 1) await chartedOf(site, { names, subject: 'mail', query });
    assert.deepEqual(
      asked.map(([name, subject, spanMs]) => [name, subject, spanMs]),
      names.map((name) => [name, 'mail', 7 * 24 * HOUR_MS]),
    );
    await clock.advance(31_000);
    await chartedOf(site, { names, subject: 'mail', query });
    assert.equal(asked.length, 4);
  });

  it('say why they are not known, and are not asked for again at once', async () => {
    const site = siteOf(Number.POSITIVE_INFINITY, async () => {
      throw new Error('Prometheus does not answer');
    });
    const charts = await chartedOf(site, { names: ['handled'], query });
    assert.match(String(charts.problem), /Prometheus does not answer/);
    assert.deepEqual(charts.of.handled.values, []);
    assert.equal(sumOf(charts.of.handled), undefined);
    await chartedOf(site, { names: ['handled'], query });
    assert.equal(asked.length, 1);
  });
});
