import type { ConnectionRole } from '../../events.js';
import type { BusHealth, ObservedBus } from './observed-bus.js';
import type { Reading } from './reading.js';

const ROLES: readonly ConnectionRole[] = ['publish', 'consume'];

type State = BusHealth['connections'][number]['state'];

/** States in which the connection is there, whatever the broker does with it. */
const UP: readonly State[] = ['up', 'blocked', 'stalled'];

/** Counts of one connection. */
class ConnectionCounts {
  failures = 0;
  reconnects = 0;
  private hasBeenUp: boolean;
  private blockedMs = 0;
  /** Monotonic milliseconds. */
  private blockedAt: number | undefined;

  constructor(state: State | undefined) {
    this.hasBeenUp = state !== undefined && UP.includes(state);
    if (state === 'blocked') this.blocked();
  }

  up(): void {
    if (this.hasBeenUp) this.reconnects += 1;
    this.hasBeenUp = true;
    this.unblocked();
  }

  down(): void {
    this.failures += 1;
    this.unblocked();
  }

  blocked(): void {
    this.blockedAt ??= performance.now();
  }

  unblocked(): void {
    this.blockedMs = this.blockedSeconds * 1_000;
    this.blockedAt = undefined;
  }

  get blockedSeconds(): number {
    const now = performance.now();
    return (this.blockedMs + now - (this.blockedAt ?? now)) / 1_000;
  }
}

/** Counts what happens to a bus's connections. */
export class ConnectionsCounts {
  private readonly counts: ReadonlyMap<ConnectionRole, ConnectionCounts>;

  constructor({ connections }: BusHealth) {
    const stateOf = (role: ConnectionRole) =>
      connections.find(({ connection }) => connection === role)?.state;
    this.counts = new Map(ROLES.map((role) => [role, new ConnectionCounts(stateOf(role))]));
  }

  /** @returns functions that end it */
  follow(bus: ObservedBus): (() => void)[] {
    return [
      ...(['up', 'down', 'blocked', 'unblocked'] as const).map((what) =>
        bus.on(`connection.${what}`, ({ connection }) => this.counts.get(connection)?.[what]()),
      ),
      // Its connections are closed then, which is no loss.
      ...(['bus.stopped', 'bus.startFailed'] as const).map((name) =>
        bus.on(name, () => {
          for (const counts of this.counts.values()) counts.unblocked();
        }),
      ),
    ];
  }

  read(service: string, reading: Reading): void {
    for (const [connection, counts] of this.counts) {
      const labels = { service, connection };
      reading.add('connection_failures_total', labels, counts.failures);
      reading.add('reconnects_total', labels, counts.reconnects);
      reading.add('connection_blocked_seconds_total', labels, counts.blockedSeconds);
    }
  }
}

/**
 * Adds the states of the connections; the publishing one of a bus that is not started is down. A bus that does not
 * consume has no other, which is no outage.
 */
export function readConnections(service: string, { connections, ready }: BusHealth, reading: Reading): void {
  for (const connection of ROLES) {
    const state = connections.find((each) => each.connection === connection)?.state;
    if (connection === 'consume' && state === undefined) continue;
    const labels = { service, connection };
    reading.add('connection_up', labels, state !== undefined && UP.includes(state) ? 1 : 0);
    reading.add('connection_blocked', labels, state === 'blocked' ? 1 : 0);
  }
  reading.add('ready', { service }, ready ? 1 : 0);
}
