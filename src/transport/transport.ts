import type { BusEvents } from '../events.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Headers, MessageProperties } from '../message/properties.js';
import type { Published } from '../message/published.js';
import type { MessageSource } from '../message/wire/encoded-properties.js';
import type { BusTopology, TopologyMode } from '../topology/bus-topology.js';
import type { Generations } from '../topology/generations.js';
import type { Names } from '../topology/names.js';
import type { Clock } from '../util/clock.js';
import type { Deadline } from '../util/deadline.js';
import type { Emitter } from '../util/emitter.js';
import type { Logger } from '../util/logger.js';
import type { OperatorSession } from './operator-session.js';
import type { ReplySink, Requests } from './requests.js';

/**
 * The port between the bus and a broker. `test/contract/` defines what an adapter must do; memory and amqp both
 * pass it.
 *
 * A Transport only describes: nothing is loaded or connected until a bus opens a session. It may serve several
 * buses; what they share is closed with the last session.
 */
export interface Transport {
  readonly kind: 'amqp' | 'memory';
  /** Clock for everything above the transport. */
  readonly clock: Clock;
  /** Where its broker is, to be shown: host and port of each address, no credential. Undefined if that is not known before it connects. */
  readonly address?: string | undefined;
  /**
   * Connects, and resolves when messages can flow.
   *
   * @throws ConnectError at the deadline, or at once if the broker refuses the credentials
   */
  open(options: SessionOptions, deadline: Deadline): Promise<Session>;
}

/** What a transport opens. Whoever uses one takes the part that it needs. */
export interface Session extends TransportSession, OperatorSession {}

export interface SessionOptions {
  readonly service: string;
  /** Names of the application's exchanges and shared queues. */
  readonly names: Names;
  readonly events: Emitter<BusEvents>;
  readonly log: Logger;
  /** Maximum publishes that wait for a confirm; further ones wait for room. */
  readonly maxInFlight: number;
  readonly maxInFlightBytes: number;
  /**
   * True for a bus that is going to consume: `open` also connects what it needs for that. Without it the first
   * `consume`, `listen` or `hold` does. @default false
   */
  readonly consumes?: boolean;
  /**
   * What stands in the broker for queues that were migrated: whoever uses the session names the queue, and never what stands for it.
   * @default each queue stands for itself
   */
  readonly generations?: Generations | undefined;
}

/** One bus's use of a transport: what messages need. */
export interface TransportSession {
  /** Product and version of the broker that is connected. */
  readonly brokerInfo: BrokerInfo;

  /**
   * Declares or verifies the topology, and remembers it, so that a queue deleted later can be declared again.
   *
   * @throws TopologyError naming the resource and the refusal; nothing is retried
   */
  declare(topology: BusTopology, mode: TopologyMode, deadline: Deadline): Promise<void>;

  /**
   * Resolves with the message's receipt when the broker has confirmed it; until then the message is sent again
   * over every new channel, with the same messageId. The caller has checked the message: properties and headers
   * have valid types and sizes.
   *
   * @throws UnroutableError, PublishRejectedError, PublishTimeoutError, OutcomeUnknownError, StoppedError
   */
  publish(message: OutgoingMessage): Promise<Published | undefined>;

  /**
   * Delivers messages of `queue` to `sink` until cancelled, also after reconnects. Resolves when the broker has
   * accepted the consumer.
   *
   * A queue that was declared of the kind `process` is made for this consumer, and again after each loss, under a name of its own that
   * nobody sees. What it has delivered belongs to the process. A publish of this session to exactly that queue waits here for its
   * delay, and then comes from an exchange of the delays; none is refused, but while 1,000 wait, or 16 MiB of bodies, the queue delivers no others. What waits when the consumer is cancelled
   * is dropped.
   */
  consume(queue: string, options: ConsumeOptions, sink: DeliverySink): Promise<Consumer>;

  /** Makes an address for replies, at once or as soon as it can. Called at most once; it ends with the session. */
  openRequests(sink: ReplySink): Requests;

  /** Refuses new publishes, and resolves when those in flight have ended. */
  drain(deadline: Deadline): Promise<void>;

  /** Ends the session. Unsettled deliveries go back to their queues. */
  close(deadline: Deadline): Promise<void>;
}

export interface BrokerInfo {
  /** Example: `RabbitMQ`. */
  readonly product: string;
  /** Example: `3.10.8`. */
  readonly version: string;
  /** Name of the broker's cluster, which a single node has, too. Undefined if the broker doesn't report it. */
  readonly cluster: string | undefined;
  /**
   * Who can change how long this broker lets a consumer keep a message: the consumer, by
   * {@link ConsumeOptions.keptForMs}; an operator, by a policy for a queue; only the broker's configuration,
   * for all queues; or nobody, since the broker has no such limit.
   */
  readonly consumerTimeoutBy: 'consumer' | 'policy' | 'configuration' | 'nobody';
  /** True if a message that is looked at and given back is not charged with a delivery. */
  readonly peekIsFree: boolean;
}

export interface ConsumeOptions {
  /** Maximum unsettled deliveries: 1 to 65,535. With 0 nothing is delivered until it is changed. */
  readonly prefetch: number;
  /** Milliseconds that a delivery may stay unsettled, for brokers that let a consumer set it. @default the broker's */
  readonly keptForMs?: number;
  /**
   * True for a queue of which the broker serves one consumer at a time. Its consumer goes with all that it has not settled: a cancel, and a
   * window of 0, end its channel, so that these are `lost` here and back in their places before another consumer gets anything.
   * @default false
   */
  readonly singleActive?: boolean;
  /** Uses a separate connection, and is not restored after the loss of its channel, which is reported as usual. */
  readonly once?: boolean;
}

/** Receiver of deliveries. None of its methods may throw. */
export interface DeliverySink {
  deliver(delivery: Delivery): void;
  /**
   * Called when a channel is gone: its unsettled deliveries now have `lost` set, and the broker will deliver
   * them again; but for those of a process's own queue.
   */
  lost(reason: Error): void;
  /**
   * Called when a process's own queue was made again: messages of the time in between are missed, and those that were in the queue.
   *
   * @param since when it was found to be gone
   * @default nobody is told
   */
  missed?(since: Date): void;
}

export interface Consumer {
  /**
   * Opens a new window: earlier deliveries stay, and don't count in it, even if its size is unchanged. With 0
   * nothing more is delivered until the next change. On RabbitMQ a new consumer is made: deliveries on their
   * way to the old one go back when it is cancelled, which before 4.3 counts as a failed delivery. With a full
   * window none is on its way.
   */
  setPrefetch(prefetch: number): Promise<void>;
  /** Stops deliveries. Earlier ones can still be settled. */
  cancel(): Promise<void>;
  /** After `cancel`: sends the buffered acks, and returns unsettled deliveries. */
  close(): Promise<void>;
}

/**
 * One delivery of a message. It is settled on the channel that delivered it, or not at all: each settling
 * method returns false if that channel is gone, and does nothing the second time.
 *
 * A delivery of a process's own queue outlives its channel: it is never `lost`, and returned after that it comes again in the process.
 */
export interface Delivery {
  readonly body: Buffer;
  /** Properties as received; `headers` always exists, and has no prototype. */
  readonly properties: MessageProperties & { readonly headers: Headers };
  /** Exchange and key of this hop. For a retry they belong to the delays; the original ones are in the headers. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  /** True if the broker has delivered this message before. */
  readonly redelivered: boolean;
  /** Number of earlier deliveries, as far as the broker reports it and can be believed; else 0. */
  readonly deliveryCount: number;
  /** Name of the first property that could not be read, such as `header 'x'`; `properties` have the others. */
  readonly unreadable?: string | undefined;
  /** The properties in their received bytes, for republishing; undefined if there are none, as in memory. */
  readonly source?: MessageSource | undefined;
  /** True if the channel that delivered the message is gone. */
  readonly lost: boolean;
  /** Number of the consumer's window in which it was delivered. */
  readonly window: number;
  /** True if a requeue would count towards the queue's delivery limit. */
  readonly requeueIsCharged: boolean;
  /** True if it was acked, requeued or rejected here. */
  readonly isSettled: boolean;

  /** Acks: the broker forgets the message. Acks may be gathered, so the ack has not reached the broker on return. */
  ack(): boolean;
  /** Returns the message to its place in the queue, unhandled. */
  requeue(): boolean;
  /** True if the broker doesn't have the message any more: a reject drops it. @default false */
  readonly rejectDrops?: boolean;
  /** Rejects: the broker dead-letters the message as its queue defines, or drops it without such a definition. */
  reject(): boolean;
}
