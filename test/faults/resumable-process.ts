import { setTimeout as pause } from 'node:timers/promises';
import { Bus, type MessageContext, rabbitmq } from 'hopline';
import { postgresStores } from 'hopline/postgres';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';
import pg from 'pg';

/*
 * A worker whose jobs have many parts, for the tests to stop and kill: `resumable-process.js URL PREFIX STORE PART_MS`. Says over IPC which
 * part of which job is done: `7 of job a`.
 */

const [url, prefix = 'hopline', store = '', partMs = '10'] = process.argv.slice(2);

const client = store.startsWith('redis') ? new Redis(store) : undefined;
const pool = client ? undefined : new pg.Pool({ connectionString: store });
const stores = client
  ? redisStores({ client, keyPrefix: prefix })
  : postgresStores({ pool: pool as pg.Pool, schema: prefix });

const transport = rabbitmq({ url });
const bus = new Bus({ service: prefix, prefix, transport, stores, concurrency: 3, stopDeadline: '20s' });

bus.handle(
  'job',
  async ({ job, parts }: { job: string; parts: number }, context: MessageContext<{ done: number }>) => {
    for (let done = context.state?.done ?? 0; done < parts; done += 1) {
      if (context.signal.aborted) return context.yield({ done });
      await pause(Number(partMs));
      process.send?.(`${done} of job ${job}`);
      await context.checkpoint({ done: done + 1 });
    }
    process.send?.(`job ${job} is done`);
  },
  { resumable: true, timeout: '10m' },
);

bus.on('bus.started', () => process.send?.('started'));
await bus.runUntilSignal();
client?.disconnect();
await pool?.end();
process.disconnect?.();
