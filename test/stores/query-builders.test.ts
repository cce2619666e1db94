import assert from 'node:assert/strict';
import { type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knexFor, { type Knex } from 'knex';
import { DataSource } from 'typeorm';
import { Bus, memory } from '../../src/index.js';
import type { SqlClient } from '../../src/stores/index.js';
import { outbox, postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';

const knexClient = (trx: Knex.Transaction): SqlClient => ({
  query: (text, values = []) => trx.raw(text.replaceAll(/\$\d+/g, '?'), values as Knex.RawBinding[]),
});

const drizzleClient = (tx: { execute(query: SQL): PromiseLike<unknown> }): SqlClient => ({
  query: (text, values = []) => {
    const parts = text.split(/\$\d+/).map((part) => sql.raw(part));
    return tx.execute(
      sql.join(parts.flatMap((part, at) => (at === 0 ? [part] : [sql`${values[at - 1]}`, part]))),
    );
  },
});

/** What each has of a transaction, and how it is given to `outbox()`. */
type InTransaction = (work: (client: SqlClient) => Promise<unknown>) => Promise<unknown>;

describe('an outbox in the transaction of', function () {
  this.timeout(PROVIDE_TIMEOUT_MS);
  let schema: TestSchema;
  const ends: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
    await schema.drop();
  });

  const users: Record<string, () => Promise<InTransaction>> = {
    Knex: async () => {
      const knex = knexFor({ client: 'pg', connection: schema.url });
      ends.push(() => knex.destroy());
      return (work) => knex.transaction((trx) => work(knexClient(trx)));
    },
    Drizzle: async () => {
      const db = drizzle(schema.pool());
      return (work) => db.transaction((tx) => work(drizzleClient(tx)));
    },
    TypeORM: async () => {
      const source = await new DataSource({ type: 'postgres', url: schema.url }).initialize();
      ends.push(() => source.destroy());
      return (work) => source.transaction(work);
    },
  };

  for (const [name, open] of Object.entries(users))
    it(`${name} leaves what that has committed, as it was given, and nothing else`, async () => {
      const stores = postgresStores({ pool: schema.pool(), schema: schema.name });
      const bus = new Bus({ service: 'shop', transport: memory(), stores });
      const inTransaction = await open();
      const payload = { text: "it's ? $1 %s :name \u0000 é" };
      await inTransaction((client) => outbox(bus, client, { orderKey: "o'1?" }).publish('k', payload));
      const failed = inTransaction(async (client) => {
        await outbox(bus, client).publish('k', 'never');
        throw new Error('something else');
      });
      await assert.rejects(failed, /something else/);
      const rows = await schema.rows<{ message: string; order_key: string }>(
        `SELECT message, order_key FROM ${schema.name}.outbox`,
      );
      assert.deepEqual(
        rows.map(({ message, order_key }) => [JSON.parse(message).payload, order_key]),
        [[payload, "o'1?"]],
      );
    });
});
