import { Bus, type MessageContext, rabbitmq } from 'hopline';
import { postgresStores } from 'hopline/postgres';
import pg from 'pg';

/*
 * A worker that moves money, for a test to kill: `transfer-process.js URL SERVICE DATABASE SCHEMA`. Money leaves one account
 * with one message and reaches the other with the next; in between it is in transit. Nothing in the tables keeps a transfer
 * from being made twice: only the inbox does.
 */

const [url = '', service = '', database, schema = ''] = process.argv.slice(2);

export interface Transfer {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
}

const CONCURRENCY = 5;
const pool = new pg.Pool({ connectionString: database, max: CONCURRENCY + 3 });
pool.on('error', () => {}); // told by what is asked of it

async function withdraw(transfer: Transfer, context: MessageContext): Promise<void> {
  const { transaction } = context;
  const { id, from, amount } = transfer;
  await transaction.query(`UPDATE ${schema}.accounts SET balance = balance - $2 WHERE id = $1`, [
    from,
    amount,
  ]);
  await transaction.query(`INSERT INTO ${schema}.transit (id, amount) VALUES ($1, $2)`, [id, amount]);
  await context.send('transfer.withdrawn', transfer);
}

async function deposit({ id, to, amount }: Transfer, { transaction }: MessageContext): Promise<void> {
  await transaction.query(`DELETE FROM ${schema}.transit WHERE id = $1`, [id]);
  await transaction.query(`UPDATE ${schema}.accounts SET balance = balance + $2 WHERE id = $1`, [to, amount]);
  await transaction.query(`INSERT INTO ${schema}.deposits (id) VALUES ($1)`, [id]);
}

const bus = new Bus({
  service,
  prefix: service,
  transport: rabbitmq({ url, heartbeat: '1s', connectDeadline: '2s' }),
  stores: postgresStores({ pool, schema }),
  startDeadline: '60s',
});
const queue = (name: string) => ({ name: `${service}.${name}`, concurrency: CONCURRENCY });
// Whatever fails here may pass: a database that is away, two transactions that wait for each other.
const retry = { tries: 1_000, backoff: '200ms' } as const;
bus.handle('transfer.requested', withdraw, { name: 'Withdraw', queue: queue('withdraw'), inbox: {}, retry });
bus.handle('transfer.withdrawn', deposit, { name: 'Deposit', queue: queue('deposit'), inbox: {}, retry });

bus.on('bus.started', () => process.send?.('started'));
bus.runUntilSignal().then(
  async () => {
    await pool.end();
    process.disconnect();
  },
  (error) => {
    console.error(error);
    process.exit(2);
  },
);
