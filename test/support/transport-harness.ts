import type { MessageProperties } from '../../src/message/properties.js';
import type { Transport } from '../../src/transport/transport.js';
import type { Clock } from '../../src/util/clock.js';
import type { eventually } from './eventually.js';
import type { TypedClient } from './typed-client.js';

/** Where transports differ and may. Everything else is the same for all of them, and the contract holds them to it. */
export interface Capabilities {
  /**
   * Time passes by itself. RabbitMQ's can't be moved, so its tests wait, and bound what they measure from below;
   * memory's stands still until a test moves it, so its tests demand the very millisecond.
   */
  readonly realTime: boolean;
  /**
   * Messages outlive the transport object, as they outlive a process. Memory's broker is its transport object, so
   * there nothing is left when a new one is made.
   */
  readonly survivesProcess: boolean;
  /** There are connections, which can break. Memory has none to break. */
  readonly hasConnections: boolean;
  /**
   * Headers and properties lie on a wire, in types and bytes of which values of JavaScript say only a part. Memory's are
   * these values, and nothing else.
   */
  readonly hasWireTypes: boolean;
}

/** What one test needs of a transport and of the broker behind it. */
export interface TransportHarness {
  readonly clock: Clock;
  /** Of the delays, which all tests of a run share: declaring them takes the broker a second. */
  readonly delayPrefix: string;
  /** Somebody at the same broker who isn't Hopline. */
  readonly foreign: ForeignClient;
  /**
   * Quorum queues deliver by message priority, 0 to 31. RabbitMQ does from 4.3 on, so only the broker at hand can say it,
   * and before that a queue that asks for it is refused at start. Memory does as 4.3, so that nothing that a service may
   * use can't be tried there; but only for queues with `maxPriority`, so that what works there is portable.
   */
  readonly quorumPriorities: boolean;
  /** Whether what is given back counts towards the delivery limit. */
  readonly countsNacks: boolean;

  /** The broker as one more process sees it: a transport of its own, if the broker is more than that. */
  transport(): Transport;
  /** The broker as a process finds it that starts when all others have ended. */
  nextProcess(): Transport;
  /** Only with `hasConnections`. */
  breakableTransport?(): Promise<BreakableTransport>;
  /** Only with `hasWireTypes`. Whoever asks closes it. */
  typedClient?(): Promise<TypedClient>;

  /** `eventually`, in the transport's own time: where that stands still, it is moved on between the tries. */
  readonly eventually: typeof eventually;

  /** Removes what a test has declared, and checks that nobody consumes it any more. */
  remove(names: { queues: Iterable<string>; exchanges: Iterable<string> }): Promise<void>;
  /** What is still open, running or armed, in words. */
  leaks(): string[];
  /** Ends what the harness itself has opened. */
  close(): Promise<void>;
}

export interface BreakableTransport {
  readonly transport: Transport;
  /** Breaks every connection, at once and without a word; new ones can be made. */
  break(): void;
  /** Lets nothing through, either way, until {@link resume}; new connections neither. */
  stall(): void;
  resume(): void;
}

/** A client without any of Hopline's checks or habits. */
export interface ForeignClient {
  publish(message: ForeignMessage): Promise<void>;
  /** Takes out all that is ready in the queue, in order. */
  take(queue: string): Promise<ForeignDelivery[]>;
  bind(queue: string, exchange: string, pattern: string): Promise<void>;
}

export interface ForeignMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body?: string | Buffer;
  readonly properties?: MessageProperties;
}

export interface ForeignDelivery {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties: MessageProperties & { readonly headers: Readonly<Record<string, unknown>> };
}
