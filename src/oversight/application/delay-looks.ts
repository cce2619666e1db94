import { delayLevels } from '../../topology/delays.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { ManagedState } from './managed-state.js';
import type { Survey } from './survey.js';
import { Turns } from './turns.js';

export interface DelayedLook {
  readonly lost: Survey['lost'];
  readonly lengths: Survey['delays'];
}

/** Time after which it is asked again whether there are delays, where there were none: the broker logs the question as an error. */
const ABSENT_MS = 10_000;

/** The delays, looked at again and again: what is in their levels, and what no queue took. */
export class DelayLooks {
  private readonly turns: Turns;
  private readonly levels: readonly string[];
  private asked: { readonly at: number; readonly lengths: Survey['delays'] } | undefined;
  private absentAt = Number.NEGATIVE_INFINITY;

  /** @param stayMs time for which lengths stay that only the broker knows; undefined if nobody wants them */
  constructor(
    private readonly names: Names,
    private readonly clock: Clock,
    private readonly stayMs: number | undefined,
  ) {
    this.turns = new Turns(clock);
    this.levels = delayLevels(names).map(({ queue }) => queue);
  }

  /** @param all queues of the vhost, by the management API */
  async look(session: Session, all: ManagedState['all'] | undefined): Promise<DelayedLook> {
    const { delayLost } = this.names;
    const now = this.clock.monotonic();
    const isAbsent = all ? !all.has(delayLost) : now - this.absentAt < ABSENT_MS;
    if (isAbsent) return { lost: 0, lengths: this.none };
    try {
      const state = await session.inspect(delayLost);
      if (!state) {
        this.absentAt = now;
        return { lost: 0, lengths: this.none };
      }
      return { lost: state.ready, lengths: await this.lengths(session, all) };
    } catch {
      return { lost: undefined, lengths: await this.lengths(session, all) };
    }
  }

  /** Levels that do not exist hold nothing. */
  private get none(): Survey['delays'] {
    return new Map(this.levels.map((queue) => [queue, 0]));
  }

  private async lengths(session: Session, all: ManagedState['all'] | undefined): Promise<Survey['delays']> {
    const { stayMs, levels, asked } = this;
    if (stayMs === undefined) return new Map();
    if (all)
      return new Map(levels.map((queue) => [queue, all.has(queue) ? all.get(queue)?.counts?.ready : 0]));
    const at = this.clock.monotonic();
    if (asked && at - asked.at < stayMs) return asked.lengths;
    const lengths = await this.turns.ask(levels, (queue) =>
      session.inspect(queue).then(
        (state) => state?.ready ?? 0,
        () => undefined,
      ),
    );
    this.asked = { at, lengths };
    return lengths;
  }
}
