import { KeptDocument } from '../kept/kept-document.js';
import { lockOf, type Names } from '../topology/names.js';
import type { Session } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';

interface Paused {
  readonly paused: readonly string[];
}

const NONE: Paused = { paused: [] };

/** The list of paused queues, kept in the broker; who listens for operators' requests declares its queue. */
export class PausedQueues {
  private readonly kept: KeptDocument<Paused>;

  constructor(
    session: Pick<Session, 'publish' | 'hold' | 'listen' | 'declare' | 'inspect'>,
    names: Names,
    clock: Clock,
  ) {
    this.kept = new KeptDocument({
      ...{ session, clock, queue: names.paused, lock: lockOf(names.control), declaredBy: 'others' },
      ...{ empty: NONE, decode, ifUnreadable: NONE },
    });
  }

  /** @throws ConnectError if the broker doesn't answer by the deadline, TopologyError if it refuses */
  async read(deadline?: Deadline): Promise<readonly string[]> {
    const { paused } = await this.kept.read(deadline);
    return paused;
  }

  /**
   * Replaces the list by the result of `change`, under a lock that all operators use.
   *
   * @param afterwards awaited before anybody else may change it
   * @throws as {@link KeptDocument.change}
   */
  async change(
    change: (paused: readonly string[]) => Promise<readonly string[]>,
    afterwards: (paused: readonly string[]) => Promise<unknown>,
  ): Promise<readonly string[]> {
    const { paused } = await this.kept.change(
      async (before) => ({ paused: await change(before.paused) }),
      (after) => afterwards(after.paused),
    );
    return paused;
  }
}

function decode(content: unknown): Paused | undefined {
  const { paused } = (content ?? {}) as { paused?: unknown };
  return Array.isArray(paused) ? { paused: paused.filter((name) => typeof name === 'string') } : undefined;
}
