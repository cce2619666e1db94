import { postgresStores } from 'hopline/postgres';
import { ownSchema } from '../own-schema.js';
import { handlingWaiting } from '../waiting-messages.js';

/** @type {import('../rows.js').Row} */
export const idempotentPostgres = {
  id: 'idempotent-postgres',
  title: '`@Idempotent` on PostgreSQL',
  unit: 'message',
  needs: ['rabbitmq', 'postgres'],
  count: 20_000,
  quick: 4_000,
  cases: {
    '@Idempotent': async (setup) => {
      const { pool, schema, end } = await ownSchema(setup);
      const stores = postgresStores({ pool, schema });
      return handlingWaiting(setup, { handle: () => {}, options: { idempotent: {} }, stores, close: end });
    },
    'INSERT … ON CONFLICT by hand': async (setup) => {
      const { pool, schema, end } = await ownSchema(setup);
      await pool.query(
        `CREATE TABLE "${schema}".handled (id text PRIMARY KEY, at timestamptz DEFAULT now())`,
      );
      const insert = `INSERT INTO "${schema}".handled (id) VALUES ($1) ON CONFLICT DO NOTHING`;
      const handle = async (/** @type {unknown} */ _payload, /** @type {any} */ { messageId }) => {
        const { rowCount } = await pool.query(insert, [messageId]);
        if (rowCount !== 1) throw new Error('it was handled before');
      };
      return handlingWaiting(setup, { handle, close: end });
    },
    plain: (setup) => handlingWaiting(setup, { handle: () => {} }),
  },
  reach: [
    { figure: 'perSecond', of: 'INSERT … ON CONFLICT by hand', atLeast: 3 },
    { figure: 'postgres', atMost: 40 },
  ],
};
