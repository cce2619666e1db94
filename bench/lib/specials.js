import { jsonLineOf } from './json-line.js';
import { median } from './statistics.js';
import { markdownTable, numberText } from './tables.js';

/**
 * What concerns Hopline alone.
 *
 * @typedef {Partial<Record<'patterns' | 'heap' | 'pressure' | 'start', Record<string, any>[]>>} Specials
 */

/** @type {Record<string, { broker?: 'null' | 'real', node?: string[], repeats?: number, runs: (quick: boolean) => string[][] }>} */
export const SPECIALS = {
  patterns: { runs: () => ['10', '1000'].map((count) => ['--count', count, '--n', '1000000']), repeats: 3 },
  heap: {
    broker: 'null',
    node: ['--expose-gc'],
    runs: (quick) => [['--n', quick ? '100000' : '1000000']],
  },
  pressure: {
    broker: 'null',
    node: ['--expose-gc'],
    runs: (quick) =>
      (quick ? ['10000', '100000'] : ['1000', '10000', '100000', '300000']).map((count) => [
        '--count',
        count,
        '--n',
        quick ? '100000' : '600000',
      ]),
  },
  start: {
    broker: 'real',
    runs: (quick) => (quick ? ['50'] : ['50', '500']).map((count) => ['--count', count]),
  },
};

/**
 * @param {string} name
 * @param {{ quick: boolean, url?: string, say: (line: string) => void }} run
 * @returns {Promise<Record<string, any>[]>}
 */
export async function runSpecial(name, { quick, url, say }) {
  const { runs, node = [], repeats = 1 } = SPECIALS[name];
  const results = [];
  for (const args of runs(quick)) {
    say(`${name}: ${args.join(' ')}`);
    const where = url ? ['--url', url] : [];
    const all = [];
    for (let repeat = 0; repeat < repeats; repeat += 1)
      all.push(
        await jsonLineOf(`special/${name}.js`, [...args, ...where], node).catch((error) => ({
          failure: error.message,
        })),
      );
    results.push(mediansOf(all));
  }
  return results;
}

/** Figure by figure. @param {readonly Record<string, any>[]} results @returns {Record<string, any>} */
function mediansOf(results) {
  const [first] = results;
  const failed = results.find(({ failure }) => failure);
  if (failed || results.length === 1) return failed ?? first;
  return Object.fromEntries(
    Object.entries(first).map(([name, value]) => [
      name,
      typeof value === 'number' ? median(results.map((each) => each[name])) : value,
    ]),
  );
}

/** @param {Specials} specials */
export function specialsTable({ patterns = [], heap = [], pressure = [], start = [] }) {
  const failed = (/** @type {string} */ what, /** @type {any} */ { failure }) => [
    what,
    `**failed**: ${failure}`,
  ];
  const lines = [
    ...patterns.map((result) =>
      result.failure
        ? failed('finding a handler', result)
        : [
            `finding the handler among ${numberText(result.count)} patterns`,
            `${result.seenUs.toFixed(3)} µs for a key seen before, ${result.freshUs.toFixed(2)} µs for a new one`,
          ],
    ),
    ...heap.map((result) =>
      result.failure
        ? failed('heap', result)
        : [
            `heap after a forced collection, over ${numberText(result.n)} messages`,
            `${result.firstMb.toFixed(1)} MB, then ${result.lastMb.toFixed(1)} MB (within ${(result.deviation * 100).toFixed(1)} %)`,
          ],
    ),
    ...pressure.map((result) =>
      result.failure
        ? failed('pressure', result)
        : [
            `${numberText(result.count)} publishes at once, none awaited before the last`,
            `${numberText(result.perSecond)} messages/s; heap ${result.beforeMb.toFixed(1)} MB before, ${result.afterMb.toFixed(1)} MB after`,
          ],
    ),
    ...start.map((result) =>
      result.failure
        ? failed('start', result)
        : [
            `start with ${result.count} handlers`,
            `${result.newMs} ms with new queues, ${result.againMs} ms with the same again`,
          ],
    ),
  ];
  return markdownTable(['Hopline alone', ''], lines);
}
