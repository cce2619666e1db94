import type { BatchStore } from '../../stores/batches.js';
import type { Logger } from '../../util/logger.js';

export interface OverdueBatchesOptions {
  readonly service: string;
  readonly store: BatchStore | undefined;
  readonly log: Logger;
  /** Sends the notifications of a batch that are due. */
  send(id: string): Promise<unknown>;
}

/** Average time between two looks; it varies, so that the processes of a service do not all look at once. */
const LOOK_EVERY_MS = 60_000;

/** Maximum number of batches in one look. */
const SENT_AT_MOST = 100;

/**
 * Sends the notifications of batches whose process has died in `dispatch()` or `cancel()`: it may have
 * decided the batch, and left no message that would come again. Looks only at batches that its own service
 * has dispatched: another service may lack the rights, or be on another broker. Costs one query a minute.
 */
export class OverdueBatches {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private isStopped = false;

  constructor(private readonly options: OverdueBatchesOptions) {}

  /** Starts the looks; does nothing where there is no store. */
  start(): void {
    if (!this.options.store) return;
    this.timer = setTimeout(
      () => {
        this.looking = this.look().then(() => {
          if (!this.isStopped) this.start();
        });
      },
      LOOK_EVERY_MS * (0.5 + Math.random()),
    ).unref(); // the timer alone does not keep the process alive
  }

  /** Stops the looks; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Looks once. Never rejects: a notification that is not sent now is found again. */
  async look(): Promise<void> {
    const { service, store, log, send } = this.options;
    if (!store) return;
    let ids: string[];
    try {
      ids = await store.overdue(service, SENT_AT_MOST);
    } catch (error) {
      // A service that uses batches learns of the fault from them; others need no tables for batches.
      log.debug({ service, error }, 'the store could not be asked for overdue batches');
      return;
    }
    for (const batchId of ids) {
      if (this.isStopped) return;
      try {
        await send(batchId);
      } catch (error) {
        log.warn({ batchId, error }, 'a notification of a batch is overdue, and cannot be sent');
      }
    }
  }
}
