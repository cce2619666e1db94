import { defineMessage, rabbitmq } from 'hopline';
import { type DashboardOptions, dashboard } from 'hopline/dashboard';
import { postgresStores } from 'hopline/postgres';
import pg from 'pg';
import { z } from 'zod';

/*
 * The dashboard as a program of its own. Given, as JSON: prefix, addresses of the management API and of a database with the schema of the
 * stores, and further options. Prints where the application's pages begin once it listens, and ends at SIGTERM.
 */

interface Given {
  readonly prefix: string;
  readonly management?: string;
  readonly database?: { readonly url: string; readonly schema: string };
  readonly options?: Partial<DashboardOptions>;
}

const { prefix, management, database, options }: Given = JSON.parse(process.argv[2] ?? '{}');
const pool = database && new pg.Pool({ connectionString: database.url, max: 2 });

const pages = dashboard({
  transport: rabbitmq({ url: process.env.AMQP_URL }),
  prefix,
  ...(management !== undefined && { management: { url: management } }),
  ...(pool && { stores: postgresStores({ pool, schema: database.schema }) }),
  messages: [defineMessage('bill.due', z.object({ to: z.string(), cents: z.number().int() }))],
  allowActions: true,
  ...options,
});
console.log(`${await pages.listen({ port: 0 })}${prefix}`);

process.once('SIGTERM', async () => {
  await pages.close();
  await pool?.end();
});
