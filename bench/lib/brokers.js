import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { BENCH } from './json-line.js';

/**
 * @typedef {object} Running  a broker of this run
 * @property {string} url
 * @property {number} [pid]  whose CPU time counts as the broker's
 * @property {string} about  for the heading of the tables
 * @property {() => Promise<void>} stop
 */

const REDIS_READY_MS = 5_000;

/** @param {{ size?: number }} [options] @returns {Promise<Running>} */
export async function startNull({ size = 281 } = {}) {
  const child = spawn(process.execPath, [join(BENCH, 'null-broker/main.js'), '--size', String(size)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = await once(createInterface(child.stdout), 'line');
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    about: 'null broker',
    stop: () => end(child),
  };
}

/**
 * A RabbitMQ of this run's own, or the one that the url leads to: whose CPU time we then don't know.
 *
 * @param {string} [url]
 * @returns {Promise<Running>}
 */
export async function startReal(url) {
  if (url) return { url, about: 'the RabbitMQ at --url', stop: async () => {} };
  const { PrivateNode } = await testSupport('index.js');
  const node = await PrivateNode.start({ name: 'bench' });
  const version = (await node.ctl('version')).trim();
  return { url: node.url, pid: node.pid, about: `RabbitMQ ${version}, one node`, stop: () => node.stop() };
}

/**
 * A Redis that keeps what it is given about as well as BullMQ's guide asks for: append-only file, synced each second.
 *
 * @param {string} [url]
 * @returns {Promise<Running | undefined>} nothing if it isn't installed
 */
export async function startRedis(url) {
  if (url) return { url, about: 'the Redis at --redis', stop: async () => {} };
  const dir = await mkdtemp(join(tmpdir(), 'bench-redis-'));
  const port = await freePort();
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  // It must not outlive this process, however that ends.
  const { Guard } = await testSupport('guard.js');
  const guard = new Guard(dir);
  guard.watch([child]);
  const stop = async () => {
    await end(child);
    await guard.release();
  };
  const started = await Promise.race([once(child, 'error').then(() => false), listens(port)]);
  if (started) return { url: `redis://127.0.0.1:${port}`, pid: child.pid, about: 'Redis, appendonly', stop };
  await guard.release();
  return undefined;
}

/** The tests' own way to a broker; `npm run bench` has built it. @param {string} file */
const testSupport = (file) => import(new URL(`../../dist/test/support/broker/${file}`, import.meta.url).href);

/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** @param {number} port */
async function listens(port) {
  const deadline = Date.now() + REDIS_READY_MS;
  while (Date.now() < deadline) {
    const socket = createConnection(port, '127.0.0.1');
    const answered = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (answered) return true;
    await pause(50);
  }
  throw new Error('redis-server does not listen');
}
