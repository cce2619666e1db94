import { Bus, rabbitmq } from 'hopline';
import { outbox, postgresStores } from 'hopline/postgres';
import { ownSchema } from '../own-schema.js';

/** Transactions at once, each on a connection of its own. */
const AT_ONCE = 20;
const PAYLOAD = { n: 0, text: 'x'.repeat(240) };

/**
 * Runs so many transactions.
 *
 * @param {import('pg').Pool} pool
 * @param {number} count
 * @param {(client: import('pg').PoolClient, n: number) => Promise<unknown>} work
 */
async function transactions(pool, count, work) {
  let next = 0;
  const one = async () => {
    const client = await pool.connect();
    while (next < count) {
      const n = next++;
      await client.query('BEGIN');
      await work(client, n);
      await client.query('COMMIT');
    }
    client.release();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** @param {import('../rows.js').Setup} setup @param {object} [more] */
async function opened(setup, more = {}) {
  const { pool, schema, end } = await ownSchema(setup);
  const bus = new Bus({
    service: setup.prefix,
    prefix: setup.prefix,
    operatorControl: false,
    transport: rabbitmq({ url: setup.servers.rabbitmq?.url ?? '' }),
    stores: postgresStores({ pool, schema }),
    ...more,
  });
  return { pool, schema, end, bus };
}

/** @type {import('../rows.js').Row} */
export const outboxPostgres = {
  id: 'outbox-postgres',
  title: 'Adding to the outbox, a row a transaction',
  unit: 'row',
  needs: ['rabbitmq', 'postgres'],
  count: 10_000,
  quick: 4_000,
  cases: {
    outbox: async (setup) => {
      const { pool, end, bus } = await opened(setup);
      const run = () =>
        transactions(pool, setup.count, (client) => outbox(bus, client).publish('bench.added', PAYLOAD));
      return { run, close: end };
    },
    'a bare INSERT': async (setup) => {
      const { pool, schema, end } = await ownSchema(setup);
      await pool.query(`CREATE TABLE "${schema}".own (id bigint GENERATED ALWAYS AS IDENTITY, message text)`);
      const insert = `INSERT INTO "${schema}".own (message) VALUES ($1)`;
      const message = JSON.stringify(PAYLOAD);
      const run = () => transactions(pool, setup.count, (client) => client.query(insert, [message]));
      return { run, close: end };
    },
  },
  reach: [
    { figure: 'perSecond', of: 'a bare INSERT', atLeast: 0.75 },
    { figure: 'postgres', of: 'a bare INSERT', atMost: 1.5 },
  ],
};

const KEY_RUN = 100;

/** Adds rows beforehand, and has a relay publish them. @param {(n: number) => string | undefined} keyOf @returns {(setup: import('../rows.js').Setup) => Promise<import('../rows.js').Case>} */
const relaying = (keyOf) => async (setup) => {
  const { pool, end, bus } = await opened(setup, { relayOutbox: true });
  const sink = new Bus({
    service: `${setup.prefix}-sink`,
    prefix: setup.prefix,
    transport: rabbitmq({ url: setup.servers.rabbitmq?.url ?? '' }),
  });
  sink.handle('bench.added', () => {});
  await sink.start();
  await sink.stop();
  for (let n = 0; n < setup.count; n += KEY_RUN) {
    const orderKey = keyOf(n / KEY_RUN);
    const options = orderKey === undefined ? {} : { orderKey };
    const payloads = Array.from({ length: KEY_RUN }, () => PAYLOAD);
    await outbox(bus, pool, options).publishMany('bench.added', payloads);
  }
  let left = setup.count;
  const done = new Promise((resolve) => {
    bus.on('outbox.relayed', ({ published }) => {
      left -= published;
      if (left <= 0) resolve(undefined);
    });
  });
  return {
    run: async () => {
      await bus.start();
      await done;
    },
    close: async () => {
      await bus.stop();
      await end();
    },
  };
};

/** @type {import('../rows.js').Row} */
export const outboxOrder = {
  id: 'outbox-order',
  title: 'Relaying the outbox, runs of 100 rows of one order key',
  unit: 'row',
  needs: ['rabbitmq', 'postgres'],
  count: 10_000,
  quick: 4_000,
  cases: {
    'runs of a key': relaying((run) => `account ${run}`),
    'without keys': relaying(() => undefined),
  },
  reach: [
    { figure: 'perSecond', atLeast: 8_000 },
    { figure: 'perSecond', of: 'without keys', atLeast: 0.8 },
  ],
};
