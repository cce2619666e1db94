import type { MessageProperties } from '../message/properties.js';
import type { Deadline } from '../util/deadline.js';

/**
 * The second port between Hopline and a broker: looking at queues, and what operators' requests go by. The same
 * session has both; the contract covers both.
 */
export interface OperatorSession {
  /**
   * State of a queue at the moment, read without changing it; undefined if the queue does not exist. Needs no
   * permission.
   *
   * @throws ConnectError if the broker can't be asked now
   */
  inspect(queue: string): Promise<QueueState | undefined>;

  /**
   * Deletes the waiting messages of a queue without delivering them. Messages that consumers hold stay.
   *
   * @returns number of deleted messages
   * @throws ConnectError if the broker can't be asked now; TopologyError if it refuses, or the queue does not
   * exist
   */
  purge(queue: string): Promise<number>;

  /**
   * First message of a queue, which goes back to its place; it may count as redelivered then. Undefined if none waits, or the queue does not
   * exist. To be called only for a queue that nobody consumes, and if `brokerInfo.peekIsFree`: else it counts as a failed delivery.
   *
   * @throws ConnectError if the broker can't be asked now; TopologyError if it refuses
   */
  peek(queue: string): Promise<Peeked | undefined>;

  /**
   * First messages of a queue, consumed or not, for somebody who looks. They go back to their places uncharged; they may count as
   * redelivered then, and consumers don't get them meanwhile. Undefined if the queue does not exist.
   *
   * @param most 1 to 1,000; fewer come if no more wait
   * @throws TopologyError if the broker refuses, or would count it as a failed delivery; nothing is taken then
   * @throws ConnectError if the broker can't be asked now, or doesn't deliver them
   */
  browse(queue: string, most: number): Promise<readonly Browsed[] | undefined>;

  /**
   * Takes the first message of a queue, which nobody else gets until it is settled. Undefined if the queue is
   * empty; a message that another session holds is waited for.
   *
   * @throws ConnectError if the broker doesn't deliver it; TopologyError if the broker refuses
   */
  hold(queue: string, deadline: Deadline): Promise<Held | undefined>;

  /**
   * Listens to an exchange by a key, on a queue that belongs to this connection and is deleted with it:
   * messages published while nobody listens are lost. Continues after reconnects. Resolves when it listens; if
   * its first connection is lost during that, it resolves earlier, and `back` reports when it listens.
   *
   * @throws TopologyError if the broker refuses, or another session, also of this connection, has a queue of
   * that name
   */
  listen(source: ListenSource, listener: Listener): Promise<Listening>;
}

/** Counts at one moment: they may be outdated on arrival. */
export interface QueueState {
  /** Waiting messages. Messages that consumers hold un-acked are not counted: AMQP doesn't report them. */
  readonly ready: number;
  readonly consumers: number;
}

export interface ListenSource {
  /** `''` for what is sent to the queue by its name: nothing is bound then, and the key says nothing. */
  readonly exchange: string;
  readonly key: string;
  /** Messages that may wait for a slow listener; beyond that the oldest are dropped. @default no limit */
  readonly atMost?: number;
  /**
   * Returns the queue's name; called for each new queue, since the broker may still keep the queue of a lost
   * connection.
   */
  queueName(): string;
}

/** Receiver of messages. Neither method may throw. */
export interface Listener {
  heard(message: Heard): void;
  /** Called when the listener is connected again: messages published in between are lost. */
  back(): void;
}

export interface Heard {
  readonly body: Buffer;
  readonly properties: MessageProperties;
}

/** A message that was looked at. */
export interface Peeked extends Heard {
  /** Exchange of its last hop. */
  readonly exchange: string;
}

/** One of several messages that were looked at. */
export interface Browsed extends Peeked {
  /** Routing key of its last hop. */
  readonly routingKey: string;
  /** True if it was delivered before, or looked at. */
  readonly redelivered: boolean;
}

/** A message that one session holds, to be settled once. */
export interface Held extends Heard {
  /**
   * Acks the message; resolves when the broker has received the ack.
   *
   * @throws ConnectError if the channel is gone: the message is back in its queue, or was acked just before
   */
  ack(): Promise<void>;
  /** Returns the message to its place in the queue. */
  requeue(): void;
}

export interface Listening {
  /** Stops listening. */
  close(): Promise<void>;
}
