import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runPeer } from './lib/run-peer.js';

/** @typedef {import('./lib/run-peer.js').Setup} Setup */

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'c/librabbitmq.c');
const PROGRAM = join(import.meta.dirname, 'c/build/librabbitmq');

/** Compiles it if it is older than its source. @throws Error that says what is missing */
async function build() {
  const [source, program] = await Promise.all([stat(SOURCE), stat(PROGRAM).catch(() => undefined)]);
  if (program && program.mtimeMs > source.mtimeMs) return;
  await mkdir(join(import.meta.dirname, 'c/build'), { recursive: true });
  try {
    await run('gcc', ['-O2', '-Wall', '-o', PROGRAM, SOURCE, '-lrabbitmq']);
  } catch (error) {
    const missing =
      'error: gcc can’t build it; it needs librabbitmq-dev (Debian, Ubuntu) or librabbitmq (others)';
    throw new Error(missing, { cause: error });
  }
}

/** Queue and messages are made as for the others, and the measuring is done in C. @param {Setup} setup */
async function measure(setup) {
  await build();
  const { hostname, port } = new URL(setup.url);
  const { mode, exchange, key, n, warmup, size, prefetch, window, ack, brokerPid = 0 } = setup;
  const [queue] = setup.queues;
  const args = [
    mode,
    hostname,
    port || 5672,
    exchange,
    queue,
    key,
    n,
    warmup,
    size,
    prefetch,
    window,
    ack,
    brokerPid,
  ];
  const { stdout } = await run(PROGRAM, args.map(String));
  return JSON.parse(stdout);
}

async function open() {
  throw new Error('librabbitmq publishes, or it consumes');
}

const name = process.argv.includes('batch') ? 'librabbitmq (C), batched acks' : 'librabbitmq (C)';
await runPeer({ name, open, run: { publish: measure, consume: measure } });
