import type { BusEvents } from '../../events.js';
import { openKnowing } from '../../kept/migrations/open-session.js';
import type { Names } from '../../topology/names.js';
import { type PlanningSession, planningRabbitmq } from '../../transport/amqp/index.js';
import type { Transport } from '../../transport/transport.js';
import { Deadline } from '../../util/deadline.js';
import { Emitter } from '../../util/emitter.js';
import { silentLogger } from '../../util/logger.js';
import type { Broker } from './broker.js';

/** A session of one command, with its events. */
export interface CommandSession {
  readonly session: PlanningSession;
  readonly events: Emitter<BusEvents>;
  readonly transport: Transport;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 5_000;
const LIMITS = { maxInFlight: 1, maxInFlightBytes: 1_024 };

/** Limits for commands that publish many messages. */
export const MOVING = { maxInFlight: 1_000, maxInFlightBytes: 64 * 1_024 * 1_024 };

/**
 * Connects for as long as `use` runs.
 *
 * @param names names of the application that the command is about
 * @param limits maximum of unconfirmed messages and bytes; one small message by default
 * @throws ConnectError
 */
export async function withSession<T>(
  { options }: Broker,
  names: Names,
  use: (opened: CommandSession) => Promise<T>,
  limits = LIMITS,
): Promise<T> {
  const transport = planningRabbitmq(options);
  const events = new Emitter<BusEvents>(() => {});
  const { session } = await openKnowing(
    transport,
    { service: 'hopline-cli', names, events, log: silentLogger, ...limits },
    new Deadline(transport.clock, CONNECT_MS),
  );
  try {
    return await use({ session, events, transport });
  } finally {
    await session.close(new Deadline(transport.clock, CLOSE_MS)).catch(() => {});
  }
}
