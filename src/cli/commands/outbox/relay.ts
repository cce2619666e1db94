import { Bus } from '../../../bus.js';
import { poolOf } from '../../../stores/postgres/connect.js';
import { postgresStores } from '../../../stores/postgres/index.js';
import { checkSchema, DEFAULT_SCHEMA } from '../../../stores/postgres/schema.js';
import { rabbitmq } from '../../../transport/amqp/index.js';
import { type BrokerFlags, brokerOf, withBroker } from '../../broker/broker.js';
import type { DefineCommand } from '../../command.js';
import { type DatabaseFlags, databaseUrlOf, withDatabase } from '../../stores/database.js';
import { WorkLog } from '../../work/work-log.js';

interface Flags extends BrokerFlags, DatabaseFlags {
  readonly schema: string;
  readonly prefix?: string;
  readonly delayPrefix?: string;
}

/** `hopline outbox relay`: publishes the outbox's messages until a signal comes. Declares nothing. */
export const define: DefineCommand = (command, { terminal }) => {
  withDatabase(withBroker(command))
    .option('--schema <name>', 'where the tables of postgresStores() are', DEFAULT_SCHEMA)
    .option('--prefix <name>', "the application's prefix")
    .option('--delay-prefix <name>', "the application's delayPrefix")
    .action(async (flags: Flags) => {
      const { schema, prefix, delayPrefix } = flags;
      checkSchema(schema, 'outbox relay');
      const broker = brokerOf(flags, terminal.env);
      const { pool, name } = await poolOf(databaseUrlOf(flags, terminal.env));
      const { logger } = await WorkLog.open(terminal);
      const bus = new Bus({
        service: 'hopline-relay',
        transport: rabbitmq(broker.options),
        ...(prefix === undefined ? {} : { prefix }),
        ...(delayPrefix === undefined ? {} : { delayPrefix }),
        topology: 'none',
        stores: postgresStores({ pool, schema }),
        relayOutbox: true,
        log: logger,
      });
      bus.on('bus.started', () =>
        logger.info({ database: name, broker: broker.name, schema }, 'relaying the outbox'),
      );
      try {
        // Missing tables are an error here, instead of a warning that repeats.
        await bus.outboxBacklog();
        await bus.runUntilSignal();
      } finally {
        await pool.end();
      }
    });
};
