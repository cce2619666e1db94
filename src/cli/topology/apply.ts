import type { PlanningSession } from '../../transport/amqp/index.js';
import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import type { TopologyChanges } from './plan/changes.js';
import type { WantedTopology } from './plan/wanted.js';

const DECLARE_MS = 120_000;

/** True if a start would be refused: for what is there otherwise, or for what others have not made. */
export const isRefused = ({ differences, missing }: TopologyChanges): boolean =>
  missing.length > 0 || differences.some((each) => each.isRefused);

/**
 * Declares what is wanted, the delays first, which queues are bound to. What is there already stays as it is, so that an interrupted run
 * can be repeated.
 *
 * @throws TopologyError naming the resource that the broker refuses; ConnectError
 */
export async function applyTopology(
  session: PlanningSession,
  clock: Clock,
  { own, delays }: WantedTopology,
  { additions }: TopologyChanges,
): Promise<void> {
  const deadline = new Deadline(clock, DECLARE_MS);
  for (const { prefix, plan } of delays) {
    if (!additions.some((each) => each.delays === prefix)) continue;
    const { exchanges, queues, bindings, marker } = plan;
    // Not as a start does it, which takes all for there if the marker is: here what is missing behind it is made, too.
    await session.declarePlan({ own: { exchanges, queues, bindings } }, 'declare', deadline);
    await session.declarePlan(
      { own: { exchanges: [marker], queues: [], bindings: [] } },
      'declare',
      deadline,
    );
  }
  await session.declarePlan({ own }, 'declare', deadline);
}
