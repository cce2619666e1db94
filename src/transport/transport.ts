import type { BusEvents } from '../events.js';
import type { Headers, MessageProperties, OutgoingMessage } from '../message/message.js';
import type { Published } from '../message/published.js';
import type { BusTopology, TopologyMode } from '../topology/plan.js';
import type { Clock } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';

/**
 * The port between the bus and a broker. `test/contract/` says what an adapter must do; memory and amqp both pass it.
 *
 * A Transport only describes: nothing is loaded or connected until a bus opens a session. It may serve several buses,
 * and closes what they share with the last session.
 */
export interface Transport {
  readonly kind: 'amqp' | 'memory';
  /** Time for everything above the transport. */
  readonly clock: Clock;
  /**
   * Connects, and resolves when messages can flow.
   *
   * @throws ConnectError when the deadline passes first, or at once when the broker refuses the credentials
   */
  open(options: SessionOptions, deadline: Deadline): Promise<TransportSession>;
}

export interface SessionOptions {
  readonly service: string;
  readonly events: Emitter<BusEvents>;
  readonly log: Logger;
  /** How many publishes may be waiting for a confirm. More wait for room. */
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
}

/** One bus's use of a transport. */
export interface TransportSession {
  /** What the broker says it is, on the connection that consumes. */
  readonly brokerInfo: BrokerInfo;

  /**
   * Makes the topology exist, and remembers it, so that a queue deleted at run time can be declared again.
   *
   * @throws TopologyError that names the resource and what is refused; nothing is retried
   */
  declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void>;

  /**
   * Resolves with the message's receipt when the broker has confirmed it; until then it is sent again over every new channel, with the
   * same messageId. The caller has checked it: properties and headers are of valid types and sizes.
   *
   * @throws UnroutableError, PublishRejectedError, PublishTimeoutError, OutcomeUnknownError, StoppedError
   */
  publish(message: OutgoingMessage): Promise<Published | undefined>;

  /** Delivers from `queue` to `sink` until cancelled, across reconnects. Resolves when the broker has accepted. */
  consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer>;

  /**
   * What a queue holds at the moment, read without touching it; undefined if there is no such queue. Needs no permission.
   *
   * @throws ConnectError if the broker can't be asked now
   */
  inspect(queue: string): Promise<QueueState | undefined>;

  /**
   * Deletes what waits in a queue, without delivering any of it. What consumers hold stays.
   *
   * @returns how many it were
   * @throws ConnectError if the broker can't be asked now, TopologyError if it refuses, or has no such queue
   */
  purge(queue: string): Promise<number>;

  /**
   * The first message of a queue, kept from everybody else until it is settled. Undefined if there is none; one that
   * somebody else has is waited for.
   *
   * @throws ConnectError if the broker doesn't hand it out, TopologyError if it refuses
   */
  hold(queue: string, deadline: Deadline): Promise<Held | undefined>;

  /**
   * Hears what an exchange routes by a key, on a queue that is this connection's alone and goes with it: what is said while
   * nobody listens, nobody hears. Goes on across reconnects. Resolves when it hears; if its first connection goes meanwhile,
   * before that: `back` then says when.
   *
   * @throws TopologyError if the broker refuses it, or somebody else has a queue of that name: on the same connection, too
   */
  listen(source: ListenSource, listener: Listener): Promise<Listening>;

  /** Takes no new publishes, and resolves when those in flight have ended. */
  drain(deadline: Deadline): Promise<void>;

  /** Ends the session. Deliveries that are not settled go back to their queues. */
  close(deadline: Deadline): Promise<void>;
}

export interface BrokerInfo {
  /** As `RabbitMQ`. */
  readonly product: string;
  /** As `3.10.8`. */
  readonly version: string;
  /** Name of its cluster; a node alone has one, too. Undefined if it doesn't say. */
  readonly cluster: string | undefined;
  /**
   * Who can say how long this broker lets a consumer keep a message: the consumer, as {@link ConsumeOptions.keptForMs}; an
   * operator by a policy for a queue; only its configuration, for all; or nobody, since it waits for ever.
   */
  readonly consumerTimeoutBy: 'consumer' | 'policy' | 'configuration' | 'nobody';
}

/** Counts of one moment: they may be old when they arrive. */
export interface QueueState {
  /** Messages that wait. What consumers hold un-acked is not counted: AMQP doesn't tell. */
  readonly ready: number;
  readonly consumers: number;
}

export interface ListenSource {
  readonly exchange: string;
  readonly key: string;
  /** Name of the queue, asked for each time that one is made: of an old connection's the broker may not know yet that it is gone. */
  queueName(): string;
}

/** Who hears. Neither method may throw. */
export interface Listener {
  heard(message: Heard): void;
  /** It was away, and hears again: what was said meanwhile it has missed. */
  back(): void;
}

export interface Heard {
  readonly body: Buffer;
  readonly properties: MessageProperties;
}

/** A message that one session has, to be settled once. */
export interface Held extends Heard {
  /**
   * The broker forgets it; resolves when the broker has been told.
   *
   * @throws ConnectError if its channel is gone: it is back in its queue, or was acked just before
   */
  ack(): Promise<void>;
  /** Back to its place in the queue. */
  requeue(): void;
}

export interface Listening {
  /** Hears no more. */
  close(): Promise<void>;
}

export interface ConsumeOptions {
  /** How many deliveries may be unsettled at once. 1 to 65,535; or 0, and nothing comes until it is changed. */
  readonly prefetch: number;
  /** How long a delivery may stay unsettled, in milliseconds: told to brokers that let a consumer say so. @default the broker's */
  readonly keptForMs?: number;
  /** Over a connection apart, and not restored when its channel is lost, which is told as ever. */
  readonly once?: boolean;
}

/** Where deliveries go. Neither method may throw. */
export interface DeliverySink {
  deliver(delivery: Delivery): void;
  /** A channel is gone: its unsettled deliveries now have `lost` set, and the broker will deliver them again. */
  lost(reason: Error): void;
}

export interface Consumer {
  /**
   * Opens another window: deliveries already here stay, and don't count in it, also if it is as wide as the one before. With
   * 0 nothing more comes until it is changed again. On RabbitMQ it is another consumer: what is under way to the old one
   * while it is cancelled goes back, and before 4.3 that is charged as a failed delivery. To a full window nothing is.
   */
  setPrefetch(prefetch: number): Promise<void>;
  /** Stops deliveries. Those already here can still be settled. */
  cancel(): Promise<void>;
  /** After `cancel`: sends what settling is still buffered, and gives back what is unsettled. */
  close(): Promise<void>;
}

/**
 * One handing-over of a message. Settling acts on the channel that delivered, or not at all: each settling method
 * returns false if that channel is gone, and does nothing the second time.
 */
export interface Delivery {
  readonly body: Buffer;
  /** As received; `headers` is always there, and without a prototype. */
  readonly properties: MessageProperties & { readonly headers: Headers };
  /** The exchange and key of this hop; a retry's are the delays', its original ones are in the headers. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  /** The broker has handed out this very message before. */
  readonly redelivered: boolean;
  /** How often before, as far as the broker says and can be believed; else 0. */
  readonly deliveryCount: number;
  /** What of its properties could not be read, as `header 'x'`, if anything: `properties` have the rest. */
  readonly unreadable?: string | undefined;
  /** The channel that delivered is gone. */
  readonly lost: boolean;
  /** Which of its consumer's windows it came through: each has a number of its own. */
  readonly window: number;
  /** To requeue it would count towards the delivery limit of its queue. */
  readonly requeueIsCharged: boolean;
  /** It was acked, requeued or rejected here. */
  readonly isSettled: boolean;

  /** Done with: the broker forgets it. May be coalesced with others, so it is on its way, not there yet. */
  ack(): boolean;
  /** Not processed: back to its place in the queue. */
  requeue(): boolean;
  /** Given up: the broker dead-letters it as its queue says, or drops it if that says nothing. */
  reject(): boolean;
}
