import { Bus } from '../../../bus.js';
import { memoryStores } from '../../../stores/memory/index.js';
import { rabbitmq } from '../../../transport/amqp/index.js';
import { systemClock } from '../../../util/clock.js';
import { type Logger, silentLogger } from '../../../util/logger.js';
import { numberText } from '../../../util/text/count-text.js';
import { type BrokerFlags, brokerOf, withBroker } from '../../broker/broker.js';
import type { DefineCommand } from '../../command.js';
import { atBatches, type BatchStoreFlags, withBatchStore } from '../../stores/batch-store.js';
import { mustFind } from './show.js';

interface Flags extends BrokerFlags, BatchStoreFlags {
  readonly prefix?: string;
  readonly delayPrefix?: string;
}

/**
 * `hopline batch cancel ID`: skips jobs that have not begun. It sends the batch's `onFailure` message if that
 * is due, so it needs the broker, too.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('<id>', 'its id');
  withBroker(withBatchStore(command))
    .option('--prefix <name>', "the application's prefix")
    .option('--delay-prefix <name>', "the application's delayPrefix")
    .action(async (id: string, flags: Flags) => {
      const { prefix, delayPrefix } = flags;
      const broker = brokerOf(flags, terminal.env);
      const log: Logger = {
        ...silentLogger,
        error: (fields, message) => {
          const { err } = fields as { err?: unknown };
          terminal.tell(`error: ${message}${err instanceof Error ? `: ${err.message}` : ''}`);
          exit(1);
        },
      };
      await atBatches(flags, terminal, async ({ store }) => {
        await mustFind(store, id);
        const bus = new Bus({
          service: 'hopline-cli',
          transport: rabbitmq(broker.options),
          stores: { ...memoryStores(systemClock), batches: store },
          ...(prefix === undefined ? {} : { prefix }),
          ...(delayPrefix === undefined ? {} : { delayPrefix }),
          topology: 'none',
          startDeadline: '5s',
          log,
        });
        await bus.start();
        try {
          const isCancelled = await bus.cancelBatch(id);
          const { pending = 0 } = (await bus.findBatch(id)) ?? {};
          terminal.print(
            isCancelled
              ? `cancelled; ${numberText(pending)} jobs are still to be skipped, or run`
              : 'nothing to do: it was cancelled or had ended before',
          );
        } finally {
          await bus.stop();
        }
      });
    });
};
