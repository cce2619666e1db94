import type { BusDescription } from '../../consume/handlers/bus-description.js';
import { generationsNow } from '../../kept/migrations/open-session.js';
import type { Generations } from '../../topology/generations.js';
import { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { silentLogger } from '../../util/logger.js';

/** A bus of an application, and what stands in the broker for its queues. */
export interface StandingBus {
  readonly bus: BusDescription;
  readonly generations: Generations;
}

/** Reads what was migrated of each bus: those of other prefixes have other documents. @throws as {@link generationsNow} */
export async function standingBuses(
  applications: readonly BusDescription[],
  session: Session,
  clock: Clock,
): Promise<StandingBus[]> {
  const known = new Map<string, Promise<Generations>>();
  return Promise.all(
    applications.map(async (bus) => {
      const names = new Names(bus.prefix, bus.delayPrefix);
      const key = JSON.stringify([bus.prefix, bus.delayPrefix]);
      const reading =
        known.get(key) ?? generationsNow(session, { names, log: silentLogger, service: bus.service }, clock);
      known.set(key, reading);
      return { bus, generations: await reading };
    }),
  );
}
