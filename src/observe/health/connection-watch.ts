import type { BusEvents, ConnectionEvent, ConnectionRole } from '../../events.js';
import type { Emitter } from '../../util/emitter.js';
import type { ConnectionHealth } from './bus-health.js';
import { type Condition, follow, isoTime } from './condition.js';
import { healthError } from './health-error.js';

type State = ConnectionHealth['state'];

interface ConnectionCondition extends Condition<State> {
  readonly address?: string;
  /** The broker's reason for blocking. */
  readonly reason?: string;
}

const WITHOUT: readonly State[] = ['down', 'refused'];

/** Follows the state of one connection by the bus's events. */
export class ConnectionWatch {
  private condition: ConnectionCondition;

  constructor(
    private readonly role: ConnectionRole,
    private readonly events: Emitter<BusEvents>,
    private readonly now: () => number,
  ) {
    this.condition = { state: 'connecting', since: now() };
    this.on('connection.up', () => ({ state: 'up' }));
    this.on('connection.unblocked', () => ({ state: 'up' }));
    this.on('connection.stalled', () => ({ state: 'stalled' }));
    this.on('connection.flowing', () => ({ state: 'up' }));
    this.on('connection.blocked', ({ reason }) => ({ state: 'blocked', reason }));
    this.on('connection.down', ({ error, refused }) => ({ state: refused ? 'refused' : 'down', error }));
  }

  /** False for a consuming connection before its first try: a bus that only publishes has none. */
  get isUsed(): boolean {
    return this.role === 'publish' || this.condition.state !== 'connecting';
  }

  /** Back to the state before the first connection. */
  reset(): void {
    this.condition = { state: 'connecting', since: this.now() };
  }

  get health(): ConnectionHealth {
    const { state, since, address, reason, error } = this.condition;
    return {
      connection: this.role,
      state,
      since: isoTime(since),
      ...(address === undefined ? {} : { address }),
      ...(reason === undefined ? {} : { reason }),
      ...(error === undefined ? {} : { error: healthError(error) }),
    };
  }

  private on<Name extends `connection.${'up' | 'unblocked' | 'stalled' | 'flowing' | 'blocked' | 'down'}`>(
    name: Name,
    conditionOf: (event: BusEvents[Name]) => Omit<ConnectionCondition, 'since' | 'address'>,
  ): void {
    this.events.on(name, (event) => {
      const { connection, address }: ConnectionEvent = event;
      if (connection !== this.role) return;
      const next = { ...conditionOf(event), address, since: this.now() };
      this.condition = follow(this.condition, next, WITHOUT);
    });
  }
}
