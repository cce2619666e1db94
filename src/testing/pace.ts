import { NotSettledError } from '../errors.js';
import { formatMs } from '../util/duration.js';
import type { ManualClock } from '../util/manual-clock.js';
import type { Flow } from './flow.js';

export interface PaceOptions {
  readonly clock: ManualClock;
  readonly flow: Flow;
  readonly settleDeadlineMs: number;
  readonly patienceMs: number;
}

/**
 * Waits until work has come to rest, and moves time. Work of the bus shows on the clock and in the flow; real I/O of a
 * handler shows only in that it has not returned yet, which is waited for in real time, within bounds.
 */
export class Pace {
  constructor(private readonly options: PaceOptions) {}

  /** @throws NotSettledError */
  async settled(): Promise<void> {
    const { flow, settleDeadlineMs } = this.options;
    flow.expectAll();
    if (await this.rest(settleDeadlineMs)) return;
    throw new NotSettledError(
      `nothing has moved for ${formatMs(settleDeadlineMs)}, and this is still at work:`,
      flow.running(),
      'Let the handler return; call advance() if it waits for time to pass; raise settleDeadline if it needs longer in real time.',
    );
  }

  /** Runs what falls due within `ms`, each at its own moment, and what follows from it before time moves on. */
  async advance(ms: number): Promise<void> {
    const { clock } = this.options;
    const endsAt = clock.monotonic() + ms;
    await this.restOrPassOver();
    for (let dueAt = clock.nextDueAt; dueAt !== undefined && dueAt <= endsAt; dueAt = clock.nextDueAt) {
      await clock.advance(dueAt - clock.monotonic());
      await this.restOrPassOver();
    }
    await clock.advance(endsAt - clock.monotonic());
  }

  /** Lets time pass until `work` has ended, however long it takes, but no longer than `atMostMs`. */
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

  private async restOrPassOver(): Promise<void> {
    const { flow, patienceMs } = this.options;
    if (!(await this.rest(patienceMs))) flow.passOver();
  }

  /** Resolves true at rest; false if nothing has moved for `patienceMs` of real time. */
  private async rest(patienceMs: number): Promise<boolean> {
    const { clock, flow } = this.options;
    await clock.settle();
    while (!flow.broken && !flow.isAtRest()) {
      if (!(await flow.whenMoved(patienceMs))) return false;
      await clock.settle();
    }
    if (flow.broken) throw flow.broken;
    return true;
  }
}
