import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { provideBroker } from '../support/broker/index.js';
import { failureOf, nameOf, type Row, RUNTIMES, type Runtime } from './row.js';
import { ROWS } from './rows/index.js';
import { endShells } from './shell.js';
import { type Outcome, type Turn, tryRow } from './trial.js';
import { Workshop } from './workshop.js';

/*
 * `npm run test:package`: packs what is committed here, installs that into an application for each row, and builds and runs it there. Exit
 * code 1 at anything that a row doesn't say, 2 at wrong use.
 */

const HELP = `usage: npm run test:package -- [--only TEXT]... [--lanes N] [--tarball FILE]

  --only TEXT     only rows with that in their name, such as swc or 'tsc 7.0, standard'
  --lanes N       how many rows are tried side by side (2)
  --tarball FILE  a packed Hopline, in place of packing a clone of what is committed

AMQP_URL says which broker; without it the run has one of its own.`;

interface Tried {
  readonly row: Row;
  readonly outcomes: ReadonlyMap<Runtime, Outcome>;
}

function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      lanes: { type: 'string', default: '2' },
      tarball: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const lanes = Number(values.lanes);
  if (!(Number.isInteger(lanes) && lanes > 0))
    throw new Error(`expected --lanes to be a whole number above 0, got '${values.lanes}'`);
  const { only } = values;
  const unknown = only.find((text) => !ROWS.some((row) => nameOf(row).includes(text)));
  if (unknown !== undefined) throw new Error(`no row has '${unknown}' in its name`);
  const rows = ROWS.filter((row) => only.length === 0 || only.some((text) => nameOf(row).includes(text)));
  return { ...values, lanes, rows };
}

async function tryAll(rows: readonly Row[], options: { lanes: number; tarball?: string | undefined }) {
  const broker = await provideBroker();
  const workshop = await Workshop.open(options.tarball).catch(async (error) => {
    await broker.stop();
    throw error;
  });
  try {
    const place = { workshop, amqpUrl: broker.url, quickStartTurn: turns() };
    const waiting = [...rows];
    const tried: Tried[] = [];
    const lane = async () => {
      for (let row = waiting.shift(); row; row = waiting.shift()) {
        const began = performance.now();
        const outcomes = await tryRow(row, place);
        tried.push({ row, outcomes });
        tell(row, outcomes, performance.now() - began);
      }
    };
    await Promise.all(Array.from({ length: options.lanes }, lane));
    return rows.flatMap((row) => tried.filter((each) => each.row === row));
  } finally {
    await workshop.close();
    await broker.stop();
  }
}

/** One after the other. */
function turns(): Turn {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run);
    last = mine.catch(() => {}); // whoever runs it is told
    return mine;
  };
}

function tell(row: Row, outcomes: ReadonlyMap<Runtime, Outcome>, ms: number): void {
  const all = [...outcomes].map(([runtime, { result }]) => `${runtime} ${result}`);
  console.log(`${nameOf(row)} – ${all.join(', ')} (${Math.round(ms / 1_000)} s)`);
}

function tableOf(tried: readonly Tried[]): string {
  const table = new Table({
    head: ['tool', 'decorators', ...RUNTIMES, 'what it is known to say'],
    colWidths: [null, null, null, null, null, null, 60],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const { row, outcomes } of tried) {
    const cells = RUNTIMES.map((runtime) => outcomes.get(runtime)?.result ?? '–');
    const says = new Set([...outcomes.keys()].map((runtime) => failureOf(row, runtime)?.says ?? ''));
    table.push([row.tool, row.kind, ...cells, [...says].join('\n').trim()]);
  }
  return table.toString();
}

/** What a row runs has a process group of its own, which Ctrl-C doesn't reach. */
function endWithSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      endShells();
      process.kill(process.pid, signal);
    });
}

async function main(): Promise<number> {
  const { help, rows, ...options } = optionsOf(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return 0;
  }
  endWithSignals();
  const began = performance.now();
  const tried = await tryAll(rows, options);
  console.log(tableOf(tried));
  const surprises = tried.flatMap(({ row, outcomes }) =>
    [...outcomes].flatMap(([runtime, { detail }]) => (detail ? [{ row, runtime, detail }] : [])),
  );
  for (const { row, runtime, detail } of surprises)
    console.log(`\n=== ${nameOf(row)}, on ${runtime}: ${detail}`);
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(`\n${rows.length} rows, ${surprises.length} surprises, in ${seconds} s`);
  return surprises.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
