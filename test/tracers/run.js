import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Table from 'cli-table3';
import { PrivateNode } from '../../dist/test/support/broker/index.js';

/*
 * `npm run test:tracers`: OpenTelemetry's, Sentry's and Datadog's newest beside Hopline, and beside plain amqplib as the
 * control, on a private broker or the one at AMQP_URL. Exit code 1 if Hopline's messages fare worse, or cost more.
 */

/** What CPU may cost, as a multiple of plain amqplib's beside the same tracer. */
const CPU_RATIO = 1.3;
const CPU_PAIRS = 5;

const here = import.meta.dirname;
const run = promisify(execFile);

/** @param {'amqplib' | 'hopline'} client @param {string} tracer @param {string} url @param {string} mode */
async function measure(client, tracer, url, mode) {
  const files = ['--import', join(here, `${tracer}.js`), join(here, 'program.js')];
  const args = ['--tracer', tracer, '--client', client, '--mode', mode, '--url', url];
  const { stdout } = await run(nodeOfTracers(), [...files, ...args], { timeout: 120_000 });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** With `otel()` beside the instrumentation. @param {string} url @returns {Promise<string[]>} problems */
async function besideOtel(url) {
  const files = ['--import', join(here, 'otel-beside.js'), join(here, 'beside.js')];
  try {
    const { stdout } = await run(nodeOfTracers(), [...files, url], { timeout: 60_000 });
    console.log(stdout);
    return [];
  } catch (error) {
    return [`otel() beside the instrumentation: ${/** @type {Error} */ (error).message}`];
  }
}

/** Tracers need a newer Node.js than Hopline. */
function nodeOfTracers() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 15)) return process.execPath;
  const installed = join(here, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(installed)) return installed;
  throw new Error(`the tracers need Node.js 22.15 or newer; this is ${process.versions.node}`);
}

/** @param {string} url */
async function tracesBeside(/** @type {string} */ tracer, url) {
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  const problems = [];
  for (const client of /** @type {const} */ (['amqplib', 'hopline'])) {
    const { handled, carried, ran, away, calls, spans } = await measure(client, tracer, url, 'traces');
    const ended = spans ? `${spans.good} of ${calls}` : '–';
    const wasAway = away.handled > 0 ? `${Math.min(away.carried, away.ran)} of ${away.handled}` : '–';
    rows.push([tracer, client, `${carried} of ${handled}`, `${ran} of ${handled}`, wasAway, ended]);
    const isRight =
      carried === handled && ran === handled && away.carried === away.handled && away.ran === away.handled;
    const haveEnded = !spans || (spans.good === calls && spans.failed === 0);
    if (client === 'hopline' && !(isRight && haveEnded))
      problems.push(`${tracer}: traces or spans are wrong`);
  }
  return { rows, problems };
}

/** Pairs, one after the other, so that what else the machine does falls on both. @param {string} tracer @param {string} url */
async function cpuBeside(tracer, url) {
  const ratios = [];
  for (let pair = 0; pair < CPU_PAIRS; pair += 1) {
    const control = await measure('amqplib', tracer, url, 'cpu');
    const ours = await measure('hopline', tracer, url, 'cpu');
    ratios.push(ours.cpuUs / control.cpuUs);
  }
  ratios.sort((left, right) => left - right);
  return { median: ratios[CPU_PAIRS >> 1] ?? Number.NaN, least: ratios[0], most: ratios.at(-1) };
}

/** @param {string} url */
async function all(url) {
  const table = new Table({
    head: ['tracer', 'client', 'carry their trace', 'run in it', 'broker away', 'consumer spans ended well'],
    style: { head: [], border: [] },
  });
  const problems = await besideOtel(url);
  for (const tracer of ['otel', 'sentry', 'datadog']) {
    const traced = await tracesBeside(tracer, url);
    table.push(...traced.rows);
    problems.push(...traced.problems);
  }
  console.log(table.toString());
  const { median, least, most } = await cpuBeside('otel', url);
  const text = `CPU beside otel: ${median.toFixed(2)} × plain amqplib's (${least?.toFixed(2)}–${most?.toFixed(2)})`;
  console.log(text);
  if (!(median <= CPU_RATIO)) problems.push(`${text}, expected at most ${CPU_RATIO}`);
  return problems;
}

const node = process.env.AMQP_URL ? undefined : await PrivateNode.start({ name: 'tracers' });
try {
  const problems = await all(node?.url ?? /** @type {string} */ (process.env.AMQP_URL));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
} finally {
  await node?.stop();
}
