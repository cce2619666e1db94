import { type ChildProcess, spawn } from 'node:child_process';
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

/** A server of the test's own that loses nothing it has confirmed when it is killed. */
export interface DurableServer {
  readonly url: string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on its data, under the same URL. Resolves once it answers. */
  boot(): Promise<void>;
  /** Ends it, and removes its data. */
  stop(): Promise<void>;
}

/** A private Redis that writes each command to its log before it answers. @throws Error as {@link provideRedis} does */
export async function durableRedis(): Promise<DurableServer> {
  const kept = ['--appendonly', 'yes', '--appendfsync', 'always'];
  return (await startRedis(kept)) ?? installRedis(kept);
}

const NOTHING_KEPT = ['--appendonly', 'no'];

async function installRedis(settings: readonly string[] = NOTHING_KEPT): Promise<DurableServer> {
  const declined = await installPackage('redis-server');
  const started = declined ? undefined : await startRedis(settings);
  if (started) return started;
  throw new Error(
    `These tests need a Redis, and redis-server is not installed: ${declined?.reason ?? 'apt-get has put it where nobody looks'}. ` +
      'Set REDIS_URL, or install redis-server; it need not be started.',
  );
}

/** Undefined if the program isn't there. */
async function startRedis(settings: readonly string[] = NOTHING_KEPT): Promise<DurableServer | undefined> {
  const [port = 0] = await freePorts(1);
  const dir = await mkdtemp(join(tmpdir(), 'hopline-redis-'));
  const guard = new Guard(dir);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', ...settings];
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess;
  const run = async (): Promise<boolean> => {
    child = spawn('redis-server', args, { stdio: 'ignore' });
    const isThere = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true));
      child.once('error', () => resolve(false));
    });
    if (!isThere) return false;
    guard.watch([child]);
    await answers(url);
    return true;
  };
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended(child);
  };
  if (!(await run())) {
    await guard.release();
    return undefined;
  }
  return {
    url,
    kill: () => end('SIGKILL'),
    boot: async () => void (await run()),
    stop: async () => {
      await end('SIGTERM');
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
