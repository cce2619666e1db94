import type { BatchStore } from '../stores/batches.js';
import type { Logger } from '../util/logger.js';

export interface OverdueBatchesOptions {
  readonly service: string;
  readonly store: BatchStore | undefined;
  readonly log: Logger;
  /** Sends what is due of a batch. */
  send(id: string): Promise<unknown>;
}

/** Between two looks, on average: those of a service's processes fall apart. */
const LOOK_EVERY_MS = 60_000;

/** With each look. */
const SENT_AT_MOST = 100;

/**
 * Looks after batches whose end nobody tells: a process that dies in `dispatch()` or `cancel()` may have decided something, and
 * has no message that would come again. Only those that its own service has dispatched: another one may lack the rights, or be
 * on another broker. Costs a question a minute.
 */
export class OverdueBatches {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private isStopped = false;

  constructor(private readonly options: OverdueBatchesOptions) {}

  /** Does nothing where there is no store. */
  start(): void {
    if (!this.options.store) return;
    this.timer = setTimeout(
      () => {
        this.looking = this.look().then(() => {
          if (!this.isStopped) this.start();
        });
      },
      LOOK_EVERY_MS * (0.5 + Math.random()),
    ).unref(); // no process lives for this
  }

  /** Resolves when the look that is under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Never rejects: what is not sent now is found again. */
  async look(): Promise<void> {
    const { service, store, log, send } = this.options;
    if (!store) return;
    let ids: string[];
    try {
      ids = await store.overdue(service, SENT_AT_MOST);
    } catch (error) {
      // Whoever uses batches hears of it by these; others need no tables for them.
      log.debug({ service, error }, 'batches could not be looked after');
      return;
    }
    for (const batchId of ids) {
      if (this.isStopped) return;
      try {
        await send(batchId);
      } catch (error) {
        log.warn({ batchId, error }, 'what was decided of a batch is overdue, and cannot be sent');
      }
    }
  }
}
