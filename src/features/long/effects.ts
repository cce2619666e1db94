import { type EffectsOf, NO_EFFECTS } from '../../pipeline/effect.js';
import type { AttemptLease } from '../../pipeline/lease.js';
import type { Effect } from '../../pipeline/outcome.js';
import type { Work } from '../../pipeline/work.js';
import type { Logger } from '../../util/logger.js';

/**
 * Ends of leases: the last of all effects, since what a lease is marked as done for is not run again. What goes back gives its lease
 * back, so that whoever gets it next need not wait.
 */
export const leaseEnds =
  (log: Logger): EffectsOf =>
  (work, outcome) => {
    const { lease } = work;
    if (!lease || (outcome.kind === 'skip' && outcome.isElsewhere)) return NO_EFFECTS;
    return [outcome.kind === 'return' ? givenBack(lease) : new Finishing(lease, work, log)];
  };

const givenBack = (lease: AttemptLease): Effect => ({
  what: 'the end of a lease',
  run: () => lease.release(),
  onUnreached: () => lease.release(),
});

class Finishing implements Effect {
  readonly what = 'the end of a lease';
  readonly isLastWord = true;
  readonly isOfStore = true;

  constructor(
    private readonly lease: AttemptLease,
    private readonly work: Work,
    private readonly log: Logger,
  ) {}

  run(): Promise<void> {
    return this.lease.finish();
  }

  /** While its channel lives the ack says the same. Without one nothing else would: it is held, as long as the lease is. */
  onError(error: unknown): 'without' | undefined {
    const { delivery, messageId } = this.work.received;
    if (delivery.lost) return undefined;
    this.log.warn(
      { queue: delivery.queue, messageId, error },
      'the end of a job could not be stored: if the broker does not get its ack, it runs again',
    );
    void this.lease.release();
    return 'without';
  }

  onUnreached(): Promise<void> {
    return this.lease.release();
  }
}
