import { Bus, memory, type Stores } from 'hopline';
import { postgresStores } from 'hopline/postgres';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';
import pg from 'pg';

/*
 * A service that holds a lock until it is killed: `lock-process.js URL PREFIX LOCK`. The stores are in Redis or PostgreSQL, as the URL
 * says; the prefix is that of Redis's keys, or PostgreSQL's schema. Says over IPC when it holds the lock, and when it no longer does.
 */

const [url = '', prefix = '', name = ''] = process.argv.slice(2);
const say = (what: string) => process.send?.(what);

async function open(): Promise<Stores> {
  if (url.startsWith('postgres'))
    return postgresStores({ pool: new pg.Pool({ connectionString: url }), schema: prefix });
  const client = new Redis(url);
  await new Promise<void>((resolve) => client.once('ready', resolve));
  return redisStores({ client, keyPrefix: prefix });
}

const bus = new Bus({ service: 'holder', transport: memory(), stores: await open() });

bus.handle('hold', async (_payload, context) => {
  const lock = await context.lock(name, { ttl: '1500ms' });
  say(`held ${lock.fence}`);
  lock.signal.addEventListener('abort', () => say(`signal: ${lock.signal.reason.message}`));
  const watching = setInterval(() => {
    try {
      lock.mustBeHeld();
    } catch (error) {
      say(`refused: ${(error as Error).message}`);
      clearInterval(watching);
    }
  }, 10);
  await new Promise(() => {});
});

await bus.start();
await bus.send('hold', 1);
