import type { SetLimit } from '../features/limits/limits-in-force.js';
import { KeptDocument } from '../kept/kept-document.js';
import { lockOf, type Names } from '../topology/names.js';
import type { Session } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';
import { shaped } from '../util/json-shape.js';
import { setLimit } from './shapes.js';

/** What operators have ordered until they say otherwise. */
export interface Ordered {
  /** Queues and lanes that are paused. */
  readonly paused: readonly string[];
  /** Limits in the place of handlers' own. */
  readonly limits: readonly SetLimit[];
}

const NONE: Ordered = { paused: [], limits: [] };

/**
 * What operators have ordered, kept in the broker; who listens for operators' requests declares its queue. The limits lie beside the
 * list of paused queues, whose queue every application has: one of their own would be a right and a read more for every process that
 * starts, and in applications without limits, too.
 */
export class Orders {
  private readonly kept: KeptDocument<Ordered>;

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
  read(deadline?: Deadline): Promise<Ordered> {
    return this.kept.read(deadline);
  }

  /**
   * Replaces the orders by the result of `change`, under a lock that all operators use.
   *
   * @param afterwards awaited before anybody else may change them
   * @throws as {@link KeptDocument.change}
   */
  change(
    change: (before: Ordered) => Promise<Ordered>,
    afterwards: (after: Ordered) => Promise<unknown>,
  ): Promise<Ordered> {
    return this.kept.change(change, afterwards);
  }
}

/** An older version writes no limits. */
function decode(content: unknown): Ordered | undefined {
  const { paused, limits } = (content ?? {}) as { paused?: unknown; limits?: unknown };
  if (!Array.isArray(paused)) return undefined;
  return {
    paused: paused.filter((name) => typeof name === 'string'),
    limits: Array.isArray(limits) ? limits.flatMap((limit) => shaped(setLimit, limit) ?? []) : [],
  };
}
