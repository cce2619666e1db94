import { Bus } from '../../bus.js';
import type { BatchStore } from '../../stores/batches.js';
import { memoryStores } from '../../stores/memory/index.js';
import type { Transport } from '../../transport/transport.js';
import { systemClock } from '../../util/clock.js';
import { type Logger, silentLogger } from '../../util/logger.js';
import { reasonText } from '../../util/text/error-text.js';

export interface CancelBatchOptions {
  readonly store: BatchStore;
  readonly transport: Transport;
  readonly prefix?: string | undefined;
  readonly delayPrefix?: string | undefined;
  /** Service that its `onFailure` message names as its publisher. */
  readonly service: string;
}

export interface CancelledBatch {
  /** False if it is unknown, or was cancelled or had ended before. */
  readonly isCancelled: boolean;
  /** Jobs that have not ended: they are still to be skipped, or run. */
  readonly pending: number;
  /** What has gone wrong beside it, as sending its `onFailure` message: workers of its service send that later. */
  readonly problems: readonly string[];
}

/**
 * Cancels a batch, and sends its `onFailure` message if that is due: what needs the broker, too. Declares nothing there.
 *
 * @throws ConnectError; the errors of the store's client
 */
export async function cancelBatch(id: string, options: CancelBatchOptions): Promise<CancelledBatch> {
  const { store, transport, prefix, delayPrefix, service } = options;
  const problems: string[] = [];
  const log: Logger = {
    ...silentLogger,
    error: (fields, message) => {
      const { err } = fields as { err?: unknown };
      problems.push(err === undefined ? message : `${message}: ${reasonText(err)}`);
    },
  };
  const bus = new Bus({
    service,
    transport,
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
    return { isCancelled, pending, problems };
  } finally {
    await bus.stop();
  }
}
