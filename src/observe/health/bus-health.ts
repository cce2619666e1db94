import type { BusState, ConnectionRole } from '../../events.js';

/**
 * How a bus is, at one moment: what `bus.health()` gives. Plain data that survives JSON as it is, without any credential.
 *
 * `live` is false only if nothing but a new process helps. `ready` is true while what is published now would be
 * confirmed, and what waits in the queues is handled. What decides, and why:
 *
 * | what | live | ready | because |
 * | --- | --- | --- | --- |
 * | not started, starting, `start()` failed | yes | no | it may still be started; wrong options, rights or credentials are as wrong after a restart |
 * | the broker is away, or refuses the credentials | yes | no | a restart brings no broker back, and a hundred restarts at once hinder it in coming back; fresh credentials are asked of the `url` function at each try |
 * | the broker blocks publishing (an alarm) | yes | no | a publish waits until its deadline, and so does whoever asked for it: requests had better go elsewhere |
 * | the broker confirms nothing for 8 s though something waits | yes | no | its node may be cut off from the others; the bus looks whether another address confirms, and goes there |
 * | a consumer is lost, or can't be restored | yes | no | its queue is not handled here; it is tried again for ever, and comes back by itself once the queue or the right is there |
 * | a message of a queue ends each connection | yes | no | its queue stands still, apart from the others; a quorum queue's delivery limit ends that, on a classic queue an operator has to |
 * | a retry or dead letter can't be published | yes | no | its message is held, and the queue stands still until it can |
 * | a lane waits for a higher one | yes | yes | that is what lanes are for |
 * | a queue is paused, by an operator or its circuit breaker | yes | yes | it is meant to be |
 * | the event loop was blocked for over 5 s | yes | no | who asks waits as long, and a connection is given up when its heartbeats stay away for 20 s; but a loop that answers is not stuck |
 * | the event loop is stuck | – | – | it answers no probe: the probe's own timeout says it |
 * | stopping | yes | no | it needs the time it has left |
 * | stopped | no | no | a stopped bus never starts again |
 *
 * A publish that the broker refuses (no such exchange, a full queue) is its caller's error, and no matter of health.
 */
export interface BusHealth {
  readonly service: string;
  readonly state: BusState;
  /** Since when it is in this state; an ISO time, as all of them here. */
  readonly since: string;
  readonly live: boolean;
  readonly ready: boolean;
  /** Why it is not live or not ready, a sentence for each cause; empty if it is both. */
  readonly reasons: readonly string[];
  /** What `start()` last failed with, until it is called again. */
  readonly startError?: HealthError;
  /** None before `start()` and after `stop()`. */
  readonly connections: readonly ConnectionHealth[];
  /** One for each queue, and for each lane, that the broker has accepted a consumer of. */
  readonly consumers: readonly ConsumerHealth[];
  /** Measured from `start()` to `stop()`. */
  readonly eventLoop?: {
    /** The longest that something due had to wait within the last 5 to 10 s, in milliseconds. */
    readonly lagMs: number;
  };
}

/** An error as data. */
export interface HealthError {
  /** Of a HoplineError: stable, made for programs. */
  readonly code?: string;
  readonly message: string;
  /** What to do about it. */
  readonly help?: string;
}

export interface ConnectionHealth {
  readonly connection: ConnectionRole;
  /**
   * `blocked`: it is up, and the broker takes no messages on it. `stalled`: it is up, and the broker confirms nothing.
   * `down`: it is looked for. `refused`: the broker doesn't let it in, and it is tried again with whatever credentials the
   * `url` then gives.
   */
  readonly state: 'connecting' | 'up' | 'blocked' | 'stalled' | 'down' | 'refused';
  readonly since: string;
  /** Host and port that it has, or tried last. */
  readonly address?: string;
  /** The broker's words for blocking. */
  readonly reason?: string;
  /** What the last try to connect failed with, or what the connection was lost for. */
  readonly error?: HealthError;
}

export interface ConsumerHealth {
  /** The queue in the broker; of a lane its own. */
  readonly queue: string;
  /**
   * `paused`: a higher lane has the places. `held`: a retry or dead letter can't be published. `lost`: its channel is
   * gone, and is opened again. `failed`: that was tried, and refused; it is tried again. `suspected`: a message of its may
   * have ended the connection, and it is consumed apart, one message at a time. `guilty`: it has, over and over.
   */
  readonly state: 'consuming' | 'paused' | 'held' | 'lost' | 'failed' | 'suspected' | 'guilty';
  readonly since: string;
  readonly error?: HealthError;
}
