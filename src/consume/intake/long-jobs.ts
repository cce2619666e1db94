import type { HeldLease } from '../../features/long/held-lease.js';
import type { LongParts } from '../../features/long/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { LeaseStore } from '../../stores/leases.js';
import type { Stores } from '../../stores/stores.js';
import { guardsQueueOf } from '../../topology/names.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { hasLeases } from '../handlers/long-handlers.js';
import type { Serving } from '../handlers/serving.js';
import type { AttemptEvents } from '../report/attempt-events.js';
import { type GuardCopiesOptions, guardingWith } from '../settle/guard-copies.js';
import type { Gate } from './gate.js';

export interface LongJobsOptions extends Omit<GuardCopiesOptions, 'guards'> {
  readonly service: string;
  readonly stores: Pick<Stores, 'leases'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: Pick<AttemptEvents, 'leaseLost'>;
}

/** Jobs of one slot group that run under leases: they go on when their channel is lost, and hold their slots then. */
export class LongJobs {
  /** Leases of the messages that are here. */
  private readonly leases = new Map<Work, HeldLease>();
  /** Messages that run on without their channel. */
  private readonly orphans = new Set<Work>();

  private constructor(
    private readonly serving: Serving,
    private readonly options: LongJobsOptions,
  ) {}

  /** Undefined for a group without such handlers. */
  static of(serving: Serving, options: LongJobsOptions): LongJobs | undefined {
    return serving.subscriptions.some(hasLeases) ? new LongJobs(serving, options) : undefined;
  }

  /** What stages of such handlers are made with. */
  get parts(): LongParts {
    const { options } = this;
    const limits = new Map(this.serving.subscriptions.map((each) => [each.queue, each.deliveryLimit]));
    return {
      service: options.service,
      clock: options.clock,
      leases: options.stores.leases as LeaseStore,
      guarding: guardingWith({ ...options, guards: guardsQueueOf(options.service) }),
      crashLimitOf: ({ queue }) => limits.get(queue) ?? Number.POSITIVE_INFINITY,
      took: (work, lease) => {
        this.leases.set(work, lease);
        // Its channel may have gone while the store was asked.
        if (work.received.delivery.lost) this.goesOnWithoutChannel(work);
      },
      lost: (work, error) => options.events.leaseLost(work, error),
    };
  }

  /** Number of slots that messages without a channel hold: so much less is fetched. */
  get withoutChannel(): number {
    return this.orphans.size;
  }

  /** Called when a channel is lost. All that has a slot keeps it, however far it is: what is asked before its code, or stored after it. */
  channelLost(gate: Pick<Gate, 'holdsSlot'>): void {
    for (const work of this.leases.keys())
      if (work.received.delivery.lost && !work.isGone && gate.holdsSlot(work))
        this.goesOnWithoutChannel(work);
  }

  /** Called when a message's slot is free. True if its channel was lost, so that more may be fetched from now on. */
  ended(work: Work): boolean {
    this.leases.get(work)?.abandon();
    this.leases.delete(work);
    return this.orphans.delete(work);
  }

  /** Nobody looks after what still runs: its leases end. */
  close(): void {
    for (const lease of this.leases.values()) lease.abandon();
    this.leases.clear();
  }

  private goesOnWithoutChannel(work: Work): void {
    if (this.orphans.has(work)) return;
    this.orphans.add(work);
    const { messageId, delivery } = work.received;
    this.options.log.warn(
      { queue: delivery.queue, handler: work.match?.handler.name, messageId },
      'the channel of a job is lost: it goes on under its lease, and a guard stands for its next delivery',
    );
  }
}
