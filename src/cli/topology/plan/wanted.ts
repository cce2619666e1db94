import { planControl } from '../../../topology/control.js';
import { planDelays } from '../../../topology/delays.js';
import { Names } from '../../../topology/names.js';
import { lastingPart, type SharedPlan, type TopologyPlan } from '../../../topology/plan.js';
import type { StandingBus } from '../standing-bus.js';

/** All that an application wants in a broker before its processes run. */
export interface WantedTopology {
  readonly own: TopologyPlan;
  /** The delays, one set for each prefix of them. */
  readonly delays: readonly WantedDelays[];
  /** The queue that each work queue of the broker is, or is a lane of, or was migrated from: what a command is told. */
  readonly workQueues: ReadonlyMap<string, string>;
  /** Exchanges of Hopline's own that lead to queues: what is to be tried again, is due, or is given up. */
  readonly leading: ReadonlySet<string>;
}

export interface WantedDelays {
  /** What all their names begin with. */
  readonly prefix: string;
  readonly plan: SharedPlan;
}

/**
 * What starts of the application's buses declare, by the names that the broker has. Left out is what comes and goes with processes, which make it themselves: queues of
 * requests, and those of one process.
 */
export function wantedTopology(applications: readonly StandingBus[]): WantedTopology {
  const plans = applications.map(({ bus: { prefix, delayPrefix, plan, operatorControl }, generations }) => {
    const names = new Names(prefix, delayPrefix);
    const own = generations.applied(lastingPart(plan));
    return { names, parts: [own, ...(operatorControl ? [planControl(names)] : [])] };
  });
  const parts = plans.flatMap((each) => each.parts);
  const delays = new Map(
    plans.map(({ names }) => [names.delay, { prefix: names.delay, plan: planDelays(names) }]),
  );
  return {
    own: {
      exchanges: oneOfEach(parts.flatMap(({ exchanges }) => exchanges)),
      queues: oneOfEach(parts.flatMap(({ queues }) => queues)),
      bindings: parts.flatMap(({ bindings }) => bindings),
    },
    delays: [...delays.values()],
    leading: new Set(plans.flatMap(({ names: { delayOut, dead, land } }) => [delayOut, dead, land])),
    workQueues: new Map(
      applications.flatMap(({ bus, generations }) =>
        bus.queues.flatMap(({ name, lanes }) =>
          lanes.map(({ queue }) => [generations.nameOf(queue), name] as const),
        ),
      ),
    ),
  };
}

/** What one bus declares is declared, whatever another only checks. */
function oneOfEach<T extends { readonly name: string; readonly verifyOnly?: boolean }>(
  all: readonly T[],
): T[] {
  const found = new Map<string, T>();
  for (const each of all) {
    const known = found.get(each.name);
    if (!known || (known.verifyOnly && !each.verifyOnly)) found.set(each.name, each);
  }
  return [...found.values()];
}
