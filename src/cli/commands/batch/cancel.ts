import { cancelBatch } from '../../../dashboard/site/cancel-batch.js';
import { rabbitmq } from '../../../transport/amqp/index.js';
import { numberText } from '../../../util/text/count-text.js';
import { type BrokerFlags, brokerOf, withBroker } from '../../broker/broker.js';
import type { DefineCommand } from '../../command.js';
import { atBatches } from '../../stores/batch-store.js';
import { type StoreFlags, withStores } from '../../stores/shared-stores.js';
import { mustFind } from './show.js';

interface Flags extends BrokerFlags, StoreFlags {
  readonly prefix?: string;
  readonly delayPrefix?: string;
}

/**
 * `hopline batch cancel ID`: skips jobs that have not begun. It sends the batch's `onFailure` message if that
 * is due, so it needs the broker, too.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('<id>', 'its id');
  withBroker(withStores(command))
    .option('--prefix <name>', "the application's prefix")
    .option('--delay-prefix <name>', "the application's delayPrefix")
    .action(async (id: string, flags: Flags) => {
      const { prefix, delayPrefix } = flags;
      const transport = rabbitmq(brokerOf(flags, terminal.env).options);
      await atBatches(flags, terminal, async ({ store }) => {
        await mustFind(store, id);
        const service = 'hopline-cli';
        const cancelled = await cancelBatch(id, { store, transport, prefix, delayPrefix, service });
        for (const problem of cancelled.problems) {
          terminal.tell(`error: ${problem}`);
          exit(1);
        }
        terminal.print(
          cancelled.isCancelled
            ? `cancelled; ${numberText(cancelled.pending)} jobs are still to be skipped, or run`
            : 'nothing to do: it was cancelled or had ended before',
        );
      });
    });
};
