import { once } from 'node:events';
import { postgresStores } from 'hopline/postgres';
import pg from 'pg';

/*
 * One of some processes that ask for the same at the same time: `gathering-process.js URL KEYS ROUNDS`. In each round it claims so many keys
 * at once, in an order of its own, finishes those that it has, and ends the same jobs of two batches. Says over IPC when it is ready, begins when
 * it is told to, and says how many it has had.
 */

const [url = '', keys = '', rounds = ''] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: url, max: 6 });
const { idempotency, batches } = postgresStores({ pool });
const numbers = Array.from({ length: Number(keys) }, (_none, number) => number);
const owner = String(process.pid);

const shuffled = () => numbers.toSorted(() => Math.random() - 0.5);

async function handle(key: string): Promise<number> {
  if ((await idempotency.claim(key, owner, 60_000)) !== 'claimed') return 0;
  if (!(await idempotency.finish(key, owner, 60_000, owner))) throw new Error(`${key} was lost`);
  return 1;
}

await pool.query('SELECT 1');
process.send?.('ready');
await once(process, 'message');

let had = 0;
for (let round = 0; round < Number(rounds); round += 1) {
  const handling = shuffled().map((number) => handle(`key ${number}`));
  const ending = ['even', 'odd'].flatMap((id) =>
    shuffled().map((number) => batches.settle(id, number, 'done')),
  );
  for (const one of await Promise.all(handling)) had += one;
  await Promise.all(ending);
}
await pool.end();
process.send?.(had, () => process.disconnect());
