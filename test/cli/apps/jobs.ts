import { appendFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Bus, type Duration, type MessageContext, rabbitmq, UnrecoverableError } from 'hopline';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';
import { ALLOWED } from './limits.js';

/*
 * A service as `hopline work` runs it: what its handlers do stands in the messages, and they say what they did.
 */

export interface Job {
  readonly number: number;
  /** How long it takes. */
  readonly ms?: number;
  /** Kept for ever. */
  readonly leakMb?: number;
  /** It ends when its signal fires, or not even then. */
  readonly holds?: 'until cancelled' | 'for ever';
  /** It ends its process: at once, when its promise is rejected that nobody waits for, or when there is no memory left. */
  readonly kills?: 'by exit' | 'by a detached rejection' | 'by memory';
  readonly fails?: 'once more' | 'for good';
}

const {
  JOBS: name = 'jobs',
  JOBS_FAULT: fault,
  JOBS_EVERY: every = '2s',
  AMQP_URL: url,
  REDIS_URL,
} = process.env;
if (fault === 'at load') throw new Error('the database is away');
if (fault === 'at import') await import(`not-installed-${name}`);
if (fault === 'while it loads') await pause(60_000);
if (fault === 'at load of the third') {
  const file = join(tmpdir(), `${name}-loads`);
  appendFileSync(file, '.');
  if (readFileSync(file, 'utf8').length > 2) throw new Error('the database is away');
}
if (fault === 'soon') setTimeout(() => process.exit(7), 50);

const kept: unknown[] = [];

async function kill(how: Job['kills']): Promise<void> {
  if (how === 'by exit') process.exit(13);
  if (how === 'by memory') for (;;) kept.push(new Array(1_000).fill(how).map((text, place) => text + place));
  void Promise.reject(new Error('nobody waits for this'));
}

async function work(job: Job, { signal, messageId }: MessageContext): Promise<void> {
  const { number, ms = 0, leakMb, holds, kills, fails } = job;
  console.log(`began ${number} ${messageId}`);
  if (kills) await kill(kills);
  if (fails === 'once more') throw new RangeError('not yet');
  if (fails) throw new UnrecoverableError('never');
  if (leakMb) kept.push(Buffer.alloc(leakMb * 1024 * 1024, 1));
  if (holds) {
    await new Promise((_resolve, reject) => {
      if (holds === 'until cancelled') signal.addEventListener('abort', () => reject(signal.reason));
    });
  }
  await pause(ms);
  console.log(`did ${number}`);
}

export const bus = new Bus({
  service: name,
  prefix: name,
  transport: rabbitmq({ url, ...(fault === 'guest' && { allowGuest: false }) }),
  concurrency: 5,
  ...(fault === 'impatient' && { startDeadline: '300ms' }),
  ...(fault === 'wrong options' && { prefech: 5 }),
  ...(REDIS_URL && { stores: redisStores({ client: new Redis(REDIS_URL) }) }),
})
  .handle('work', work, { name: 'Work', queue: `${name}.work` })
  .handle('other', work, { name: 'Other', queue: `${name}.other` })
  .handle('limited', ({ number }: Job) => console.log(`did ${number} at ${Date.now()}`), {
    name: 'Limited',
    queue: `${name}.limited`,
    rateLimit: { allow: ALLOWED, every: every as Duration },
    retry: { tries: 1 },
  });
