import { formatMs } from '../../util/duration.js';
import { NotSettledError } from '../errors.js';
import type { Flow } from '../flow.js';
import type { ManualClock } from '../manual-clock.js';

export interface PaceOptions {
  readonly clock: ManualClock;
  readonly flow: Flow;
  readonly settleDeadlineMs: number;
  readonly patienceMs: number;
}

/**
 * Waits until work has come to rest, and moves time. Work of the bus shows on the clock and in the flow. Real
 * I/O of a handler shows only in that the handler has not returned, which is waited for in real time, within
 * limits.
 */
export class Pace {
  constructor(private readonly options: PaceOptions) {}

  /** @throws NotSettledError */
  async settled(): Promise<void> {
    const { clock, flow, settleDeadlineMs } = this.options;
    flow.expectAll();
    await clock.advance(0, () => this.waited(settleDeadlineMs));
    if (flow.broken) throw flow.broken;
    if (flow.isAtRest()) return;
    throw new NotSettledError(
      `no progress for ${formatMs(settleDeadlineMs)}, and this is still running:`,
      flow.running(),
      'Let the handler return; call advance() if it waits for time to pass; raise settleDeadline if it needs longer in real time.',
    );
  }

  /** Runs everything that is due within `ms`, each at its own moment, with its consequences before time moves on. */
  async advance(ms: number): Promise<void> {
    const { clock, flow, patienceMs } = this.options;
    await clock.advance(ms, async () => {
      if (await this.waited(patienceMs)) return true;
      flow.passOver();
      return false;
    });
    if (flow.broken) throw flow.broken;
  }

  /** Lets time pass until `work` has ended, but no longer than `atMostMs`. */
  async until(work: Promise<unknown>, atMostMs: number): Promise<void> {
    const { clock } = this.options;
    let ended = false;
    const end = () => {
      ended = true;
    };
    work.then(end, end);
    const endsAt = clock.monotonic() + atMostMs;
    await clock.settle();
    while (!ended && clock.monotonic() < endsAt) {
      await clock.advance(Math.min(clock.nextDueAt ?? endsAt, endsAt) - clock.monotonic());
    }
  }

  /** True if work was under way and made progress; false at rest, or without progress for `patienceMs` of real time. */
  private waited(patienceMs: number): boolean | Promise<boolean> {
    const { flow } = this.options;
    return !flow.broken && !flow.isAtRest() && flow.whenMoved(patienceMs);
  }
}
