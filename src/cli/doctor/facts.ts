import type { BusDescription } from '../../consume/describe.js';
import type { HoplineError } from '../../errors.js';
import type { UnreadableLetter } from '../../failures/unreadable.js';
import type { QueueState } from '../../transport/transport.js';
import type { LeftOverQueue } from '../topology/left-over-queues.js';

/** What a broker says of itself and of what an application wants there: all that doctor judges by. */
export interface Facts {
  /** Host, port and vhost, without credentials. */
  readonly address: string;
  readonly broker: BrokerFacts;
  /** Undefined without an application: then only the queues that were named are looked at. */
  readonly application: BusDescription | undefined;
  /** What the application wants and the broker does not have, as `queue 'mailer'`. */
  readonly missing: readonly string[];
  /** Work queues by name; undefined for one that isn't there. */
  readonly queues: ReadonlyMap<string, QueueState | undefined>;
  /**
   * Queues by the service's name that no bus of the application declares and nobody consumes; those beside a work queue that is
   * there are counted to it. Empty where the management API did not tell.
   */
  readonly leftOver: readonly LeftOverFacts[];
  /** Queues, and lanes of queues, that operators have paused. */
  readonly paused: readonly string[];
  readonly deadLetters: readonly DeadLetterFacts[];
  /** In the queue of what no queue took when its delay was over. */
  readonly lost: number | undefined;
  /** Undefined if the management API was not asked, or did not answer: `why` says it. */
  readonly management: ManagementFacts | undefined;
  readonly whyNoManagement: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface BrokerFacts {
  readonly product: string;
  readonly version: string;
  readonly cluster: string | undefined;
  /** In the broker's words, such as `low on memory`; undefined if it takes messages. */
  readonly blocked: string | undefined;
}

export interface DeadLetterFacts {
  /** Where they lie. */
  readonly deadQueue: string;
  readonly count: number;
  /** When the first in line was given up. */
  readonly oldest: Date | undefined;
  /** Some end their connections, and were gone around. */
  readonly unreadable?: UnreadableLetter | undefined;
  /** So many do that none was looked at. */
  readonly whyNotRead?: HoplineError | undefined;
}

export interface LeftOverFacts extends Pick<LeftOverQueue, 'name' | 'kind' | 'of'> {
  /** Messages that wait in it. */
  readonly ready: number;
  /** New messages come into it. */
  readonly isBound: boolean;
}

/** What only the management API tells. */
export interface ManagementFacts {
  /** Name of the cluster that it speaks for. */
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
  /** Nodes that it can't see though they run. */
  readonly partitions: readonly string[];
}

export interface ManagedQueue {
  readonly name: string;
  readonly type: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Nodes that hold a copy; empty for a classic queue. */
  readonly members: readonly string[];
  readonly online: readonly string[];
  /** Messages that somebody has taken and not settled; as of some seconds ago. */
  readonly unsettled: number;
}

export interface ManagedBinding {
  readonly source: string;
  readonly destination: string;
  readonly destinationType: 'queue' | 'exchange';
  readonly pattern: string;
  /** The management API's own name of it. */
  readonly propertiesKey: string;
}

export interface Policy {
  readonly name: string;
  readonly kind: 'policy' | 'operator policy';
  /** Regular expression over names. */
  readonly pattern: string;
  readonly appliesTo: string;
  readonly definition: Readonly<Record<string, unknown>>;
}
