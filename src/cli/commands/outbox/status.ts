import { poolOf } from '../../../stores/postgres/connect.js';
import { postgresStores } from '../../../stores/postgres/index.js';
import { checkSchema, DEFAULT_SCHEMA } from '../../../stores/postgres/schema.js';
import { formatMs } from '../../../util/duration.js';
import type { DefineCommand } from '../../command.js';
import { type DatabaseFlags, databaseUrlOf, withDatabase } from '../../stores/database.js';

interface Flags extends DatabaseFlags {
  readonly schema: string;
  readonly json?: boolean;
}

/** `hopline outbox status`: the number of waiting messages, their age, and those that can't be published. */
export const define: DefineCommand = (command, { terminal }) => {
  withDatabase(command)
    .option('--schema <name>', 'where the tables of postgresStores() are', DEFAULT_SCHEMA)
    .option('--json', 'as JSON')
    .action(async ({ schema, json, ...flags }: Flags) => {
      checkSchema(schema, 'outbox status');
      const { pool, name } = await poolOf(databaseUrlOf(flags, terminal.env));
      try {
        const { outbox } = postgresStores({ pool, schema });
        const backlog = await outbox.backlog();
        if (json) {
          terminal.print(JSON.stringify(backlog));
          return;
        }
        const { waiting, lagMs, refused } = backlog;
        terminal.print(`${waiting} waiting, the oldest for ${formatMs(Math.round(lagMs))}`);
        for (const { id, messageId, routingKey, orderKey, refusals, error } of refused) {
          const held = orderKey === undefined ? '' : `, holds up '${orderKey}'`;
          terminal.print(`${id}  ${routingKey}  ${messageId}  refused ${refusals} times${held}: ${error}`);
        }
        terminal.tell(`schema '${schema}' of ${name}`);
      } finally {
        await pool.end();
      }
    });
};
