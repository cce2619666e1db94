import type { PauseReason } from '../../events.js';
import type { ConsumerHealth } from './bus-health.js';
import { type Condition, follow, isoTime } from './condition.js';
import { healthError } from './health-error.js';

type State = ConsumerHealth['state'];

const PAUSES: Readonly<Record<PauseReason, State>> = {
  'higher-lane': 'paused',
  'circuit-open': 'paused',
  operator: 'paused',
  migration: 'paused',
  unpublishable: 'held',
};
const NOT_CONSUMED: readonly State[] = ['lost', 'failed'];

/**
 * Follows the state of one queue's consumer. If there are several reasons at once why it does not work, the
 * most serious one is shown.
 */
export class ConsumerWatch {
  private consumingSince: number;
  private trouble: Condition<State> | undefined;
  private suspicion: Condition<State> | undefined;
  private readonly pauses = new Map<PauseReason, Condition<State>>();

  constructor(
    private readonly queue: string,
    private readonly now: () => number,
  ) {
    this.consumingSince = now();
  }

  lost(error: unknown): void {
    this.inTrouble({ state: 'lost', since: this.now(), error });
  }

  failed(error: unknown): void {
    this.inTrouble({ state: 'failed', since: this.now(), error });
  }

  restored(): void {
    this.trouble = undefined;
    this.consumingSince = this.now();
  }

  suspected(error: unknown): void {
    this.suspicion = { state: 'suspected', since: this.now(), error };
  }

  guilty(error: unknown): void {
    this.suspicion = follow(this.suspicion, { state: 'guilty', since: this.now(), error });
  }

  cleared(): void {
    this.suspicion = undefined;
  }

  paused(why: PauseReason, error: unknown): void {
    const next = { state: PAUSES[why], since: this.now(), error };
    this.pauses.set(why, follow(this.pauses.get(why), next));
  }

  resumed(why: PauseReason): void {
    if (this.pauses.delete(why)) this.consumingSince = this.now();
  }

  get health(): ConsumerHealth {
    const { suspicion } = this;
    const guilty = suspicion?.state === 'guilty' ? suspicion : undefined;
    const { state, since, error }: Condition<State> = guilty ??
      this.trouble ??
      this.pauses.get('unpublishable') ??
      this.pauses.get('operator') ??
      this.pauses.get('circuit-open') ??
      this.pauses.get('higher-lane') ??
      suspicion ?? { state: 'consuming', since: this.consumingSince };
    return {
      queue: this.queue,
      state,
      since: isoTime(since),
      ...(error === undefined ? {} : { error: healthError(error) }),
    };
  }

  private inTrouble(next: Condition<State>): void {
    this.trouble = follow(this.trouble, next, NOT_CONSUMED);
  }
}
