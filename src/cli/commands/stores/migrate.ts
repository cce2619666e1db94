import { connectPostgres } from '../../../stores/postgres/connect.js';
import { migrate } from '../../../stores/postgres/migrate.js';
import { checkSchema, DEFAULT_SCHEMA } from '../../../stores/postgres/schema.js';
import type { DefineCommand } from '../../command.js';
import { type DatabaseFlags, databaseUrlOf, withDatabase } from '../../stores/database.js';

interface Flags extends DatabaseFlags {
  readonly schema: string;
  readonly dryRun?: boolean;
}

/** `hopline stores migrate`: creates or updates the tables that postgresStores() uses. */
export const define: DefineCommand = (command, { terminal }) => {
  withDatabase(command)
    .option('--schema <name>', 'schema of the tables', DEFAULT_SCHEMA)
    .option('--dry-run', 'only say what would be done')
    .option('--verbose', 'stack traces of errors')
    .action(async ({ schema, dryRun = false, ...flags }: Flags) => {
      checkSchema(schema, 'stores migrate');
      const { client, name } = await connectPostgres(databaseUrlOf(flags, terminal.env));
      try {
        const steps = await migrate(client, schema, { dryRun });
        for (const { step, name: what } of steps)
          terminal.print(`${dryRun ? 'would apply' : 'applied'} step ${step}: ${what}`);
        if (steps.length === 0) terminal.print('nothing to do');
        terminal.tell(`schema '${schema}' of ${name}`);
      } finally {
        await client.end();
      }
    });
};
