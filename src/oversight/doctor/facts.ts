import type { BusDescription } from '../../consume/handlers/bus-description.js';
import type { HoplineError } from '../../errors.js';
import type { UnreadableLetter } from '../../failures/letters/unreadable.js';
import type { QueueState } from '../../transport/operator-session.js';
import type { LeftOverQueue } from '../management/left-over-queues.js';
import type { ManagedBinding, ManagedQueue } from '../management/managed.js';

/** The facts that doctor judges: about a broker, and about what an application wants there. */
export interface Facts {
  /** Host, port and vhost, without credentials. */
  readonly address: string;
  readonly broker: BrokerFacts;
  /** The application, with the names that the broker has in its plan; undefined if only the named queues are examined. */
  readonly application: BusDescription | undefined;
  /** The application's exchanges and queues that the broker does not have, as `queue 'mailer'`. */
  readonly missing: readonly string[];
  /** State of each work queue by name; undefined for a queue that does not exist. */
  readonly queues: ReadonlyMap<string, QueueState | undefined>;
  /**
   * Queues under the service's name that no bus of the application declares and nobody consumes; the landing
   * and dead-letter queues of an existing work queue count with that. Empty if the management API gave no
   * answer.
   */
  readonly leftOver: readonly LeftOverFacts[];
  /** Queues, and lanes of queues, that operators have paused. */
  readonly paused: readonly string[];
  readonly deadLetters: readonly DeadLetterFacts[];
  /** Number of messages in the queue of delayed messages that no queue took when due. */
  readonly lost: number | undefined;
  /**
   * Facts of the management API; undefined if it was not asked or did not answer: `whyNoManagement` tells the
   * reason.
   */
  readonly management: ManagementFacts | undefined;
  readonly whyNoManagement: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface BrokerFacts {
  readonly product: string;
  readonly version: string;
  readonly cluster: string | undefined;
  /**
   * Reason for which the broker takes no messages, in its own words, such as `low on memory`; undefined if it
   * takes them.
   */
  readonly blocked: string | undefined;
}

export interface DeadLetterFacts {
  /** Dead-letter queue. */
  readonly deadQueue: string;
  readonly count: number;
  /** Time of failure of the first letter in line. */
  readonly oldest: Date | undefined;
  /** Letters that end the connection of whoever reads them, and were skipped. */
  readonly unreadable?: UnreadableLetter | undefined;
  /** Set if so many letters are unreadable that none was looked at. */
  readonly whyNotRead?: HoplineError | undefined;
}

export interface LeftOverFacts extends Pick<LeftOverQueue, 'name' | 'kind' | 'of'> {
  /** Number of waiting messages. */
  readonly ready: number;
  /** True if new messages can come into the queue. */
  readonly isBound: boolean;
}

/** Facts that only the management API has. */
export interface ManagementFacts {
  /** Name of the cluster that the API belongs to. */
  readonly cluster: string;
  readonly nodes: readonly NodeFacts[];
  readonly queues: readonly ManagedQueue[];
  readonly bindings: readonly ManagedBinding[];
  readonly policies: readonly Policy[];
}

export interface NodeFacts {
  readonly name: string;
  readonly running: boolean;
  readonly memoryAlarm: boolean;
  readonly diskAlarm: boolean;
  /** Nodes that this node can't reach though they run. */
  readonly partitions: readonly string[];
  /** Share of what raises an alarm; undefined if it is not known. */
  readonly memoryShare: number | undefined;
  readonly diskShare: number | undefined;
}

export interface Policy {
  readonly name: string;
  readonly kind: 'policy' | 'operator policy';
  /** Regular expression that the policy applies to names with. */
  readonly pattern: string;
  readonly appliesTo: string;
  readonly definition: Readonly<Record<string, unknown>>;
}
