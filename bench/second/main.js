import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { jsonLineOf } from '../lib/json-line.js';
import { outcomeOf, secondTables } from './report.js';
import { ROWS } from './rows.js';
import { startServers } from './servers.js';

const REPEATS = 3;

/**
 * `npm run bench -- second [--quick] [--only a,b] [--repeats 3] [--json file]`: what a feature costs beside what one would take instead, or
 * write by hand. A row has some cases; each runs in a process of its own, one of each after the other, so that whatever else the machine
 * does meets all of them alike. Prints a table for each row, and writes all figures to a file if one is named.
 *
 * @param {string[]} args
 * @returns {Promise<number>} the exit code: 1 if a case has failed
 */
export async function benchSecond(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      cases: { type: 'string' },
      repeats: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const wanted = values.only?.split(',');
  const unknown = wanted?.find((id) => !ROWS.some((row) => row.id === id));
  if (unknown) throw new Error(`no row '${unknown}'; there are ${ROWS.map(({ id }) => id).join(', ')}`);
  const rows = ROWS.filter(({ id }) => wanted?.includes(id) ?? true);
  const repeats = Number(values.repeats ?? (values.quick ? 1 : REPEATS));
  const servers = await startServers(new Set(rows.flatMap(({ needs }) => needs)));
  try {
    const outcomes = [];
    for (const row of rows) {
      const names = Object.keys(row.cases).filter((name) => values.cases?.split(',').includes(name) ?? true);
      const setup = { ...servers.setup, count: values.quick ? row.quick : row.count };
      outcomes.push(outcomeOf(row, await measured(row.id, names, repeats, setup)));
    }
    process.stdout.write(`${servers.about.join('; ')}; ${repeats} repeats.\n\n${secondTables(outcomes)}\n`);
    if (values.json) writeFileSync(values.json, `${JSON.stringify(outcomes, undefined, 2)}\n`);
    return outcomes.some(({ cases }) => cases.some(({ failure }) => failure)) ? 1 : 0;
  } finally {
    await servers.stop();
  }
}

/** @param {string} row @param {readonly string[]} names @param {number} repeats @param {object} setup */
async function measured(row, names, repeats, setup) {
  /** @type {Record<string, import('./report.js').Run[]>} */
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const name of repeat % 2 === 0 ? names : names.toReversed()) {
      process.stderr.write(`${row}: ${name}\n`);
      const prefix = `bench-${process.pid}-${Date.now().toString(36)}`;
      const run = await jsonLineOf('second/run-case.js', [
        row,
        name,
        JSON.stringify({ ...setup, prefix }),
      ]).catch((error) => ({ failure: error.message }));
      if (run.failure) process.stderr.write(`  failed: ${run.failure}\n`);
      runs[name].push(/** @type {import('./report.js').Run} */ (run));
    }
  }
  return runs;
}
