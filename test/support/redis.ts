import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { installPackage } from './broker/apt.js';
import { ended, Guard } from './broker/guard.js';
import { freePorts } from './broker/ports.js';
import { eventually } from './eventually.js';

/** A real Redis for tests. */
export interface TestRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * The one at REDIS_URL; else a private redis-server process on a free port, whose package is installed if it is missing.
 *
 * @throws Error that says what to do
 */
export async function provideRedis(): Promise<TestRedis> {
  const { REDIS_URL: url } = process.env;
  return url ? { url, stop: async () => {} } : ((await startRedis()) ?? installRedis());
}

async function installRedis(): Promise<TestRedis> {
  const declined = await installPackage('redis-server');
  const started = declined ? undefined : await startRedis();
  if (started) return started;
  throw new Error(
    `These tests need a Redis, and redis-server is not installed: ${declined?.reason ?? 'apt-get has put it where nobody looks'}. ` +
      'Set REDIS_URL, or install redis-server; it need not be started.',
  );
}

/** Undefined if the program isn't there. */
async function startRedis(): Promise<TestRedis | undefined> {
  const [port = 0] = await freePorts(1);
  const dir = await mkdtemp(join(tmpdir(), 'hopline-redis-'));
  const guard = new Guard(dir);
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const isThere = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  if (!isThere) {
    await guard.release();
    return undefined;
  }
  guard.watch([child]);
  const url = `redis://127.0.0.1:${port}`;
  await answers(url);
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await ended(child);
      await guard.release();
    },
  };
}

async function answers(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 50 });
  client.on('error', () => {}); // it is asked again until it answers
  try {
    await eventually(async () => (await client.ping()) === 'PONG');
  } finally {
    client.disconnect();
  }
}
