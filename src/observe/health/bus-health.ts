import type { BusState, ConnectionRole } from '../../events.js';

/**
 * Health of a bus at one moment: the result of `bus.health()`. Plain data that survives JSON unchanged, without
 * any credential.
 *
 * `live` is false only if nothing but a new process helps. `ready` is true while a publish would be confirmed,
 * and the messages of the queues are handled. The causes:
 *
 * | what | live | ready | because |
 * | --- | --- | --- | --- |
 * | not started, starting, `start()` failed | yes | no | the bus may still be started; wrong options, permissions or credentials are still wrong after a restart |
 * | the broker is away, or refuses the credentials | yes | no | a restart brings no broker back, and a hundred restarts at once hinder its recovery; the `url` function is asked for fresh credentials at each try |
 * | the broker blocks publishing (an alarm) | yes | no | a publish waits until its deadline, and so does its caller: requests are better sent to another instance |
 * | the broker confirms nothing for 8 s though publishes wait | yes | no | its node may be cut off from the others; the bus looks for another address that confirms, and connects there |
 * | a consumer is lost, or can't be restored | yes | no | its queue is not handled here; the bus tries again without limit, and the consumer comes back once the queue or the permission is there |
 * | a message of a queue ends each connection | yes | no | the queue stands still, apart from the others; a quorum queue's delivery limit ends that, on a classic queue an operator has to |
 * | a retry or dead letter can't be published | yes | no | its message is held, and the queue stands still until the publish succeeds |
 * | a lane waits for a higher one | yes | yes | lanes work that way |
 * | a queue is paused, by an operator or its circuit breaker | yes | yes | the pause is intended |
 * | the event loop was blocked for over 5 s | yes | no | requests wait as long, and a connection is given up after 20 s without heartbeats; but a loop that answers is not stuck |
 * | the event loop is stuck | – | – | it answers no probe: the probe's own timeout detects it |
 * | stopping | yes | no | the process needs its remaining time |
 * | stopped | no | no | a stopped bus never starts again |
 *
 * A publish that the broker refuses (no such exchange, a full queue) is an error of its caller, and does not
 * change the health.
 */
export interface BusHealth {
  readonly service: string;
  readonly state: BusState;
  /** Time at which this state began; ISO, as all times here. */
  readonly since: string;
  readonly live: boolean;
  readonly ready: boolean;
  /** Reasons for not being live or not ready, a sentence for each cause; empty if the bus is both. */
  readonly reasons: readonly string[];
  /** Error of the last `start()`, until it is called again. */
  readonly startError?: HealthError;
  /** Empty before `start()` and after `stop()`. The consuming one is here once the bus consumes, and tries to connect it. */
  readonly connections: readonly ConnectionHealth[];
  /** One entry for each queue, and for each lane, for which the broker has accepted a consumer. */
  readonly consumers: readonly ConsumerHealth[];
  /** Measured from `start()` to `stop()`. */
  readonly eventLoop?: {
    /** Longest delay of the event loop within the last 5 to 10 s, in milliseconds. */
    readonly lagMs: number;
  };
}

/** An error as data. */
export interface HealthError {
  /** Code of a HoplineError: stable, for programs. */
  readonly code?: string;
  readonly message: string;
  /** Advice for the reader. */
  readonly help?: string;
}

export interface ConnectionHealth {
  readonly connection: ConnectionRole;
  /**
   * `blocked`: the connection is up, and the broker takes no messages on it. `stalled`: it is up, and the
   * broker confirms nothing. `down`: the bus tries to connect. `refused`: the broker refuses the client, and
   * the bus tries again with the credentials that `url` then gives.
   */
  readonly state: 'connecting' | 'up' | 'blocked' | 'stalled' | 'down' | 'refused';
  readonly since: string;
  /** Host and port of the connection, or of the last try. */
  readonly address?: string;
  /** The broker's reason for blocking. */
  readonly reason?: string;
  /** Error of the last try to connect, or of the lost connection. */
  readonly error?: HealthError;
}

export interface ConsumerHealth {
  /** Name of the queue in the broker; a lane has its own. */
  readonly queue: string;
  /**
   * `paused`: a higher lane has the slots. `held`: a retry or dead letter can't be published. `lost`: the
   * channel is gone, and is opened again. `failed`: the consumer could not be restored; it is tried again.
   * `suspected`: a message of the queue may have ended the connection, and the queue is consumed apart, one
   * message at a time. `guilty`: a message of the queue ends each connection.
   */
  readonly state: 'consuming' | 'paused' | 'held' | 'lost' | 'failed' | 'suspected' | 'guilty';
  readonly since: string;
  readonly error?: HealthError;
}
