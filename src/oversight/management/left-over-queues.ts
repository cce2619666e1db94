import type { BusDescription } from '../../consume/handlers/bus-description.js';
import type { ExchangeType } from '../../message/exchange-option.js';
import { topicMatches } from '../../message/routing/topic.js';
import { logicalNameOf } from '../../topology/generations.js';
import { baseExchangeOf, deadQueueOf, landingQueueOf, Names } from '../../topology/names.js';
import { sharedNameOf } from '../../topology/process-queue.js';
import { askedOf } from './binding-identity.js';
import type { ManagedBinding, ManagedQueue } from './managed.js';

/*
 * Queues that an older build has left behind: its class was renamed, is named differently by a bundler, or no
 * longer exists. A queue of Hopline's names its application in its arguments, and its service in its name.
 */

export interface LeftOverQueue {
  readonly name: string;
  /** Role of the queue; `landing` and `dead` belong to a work queue. */
  readonly kind: 'work' | 'landing' | 'dead';
  /** The work queue by its own name: the queue itself, what it was migrated from, or the one that it belongs to. */
  readonly of: string;
  /** Number of messages held, as of {@link heldIn}. */
  readonly held: number;
  readonly bindings: readonly ManagedBinding[];
  /** Names of the application that the queue was part of. */
  readonly names: Names;
}

/**
 * Queues under their service's name that no bus of the application declares. AMQP tells whether somebody
 * consumes them.
 *
 * @param services services whose queues are meant
 * @param applications all buses of the application
 */
export function leftOverQueues(
  services: readonly BusDescription[],
  applications: readonly BusDescription[],
  queues: readonly ManagedQueue[],
  bindings: readonly ManagedBinding[],
): LeftOverQueue[] {
  const declared = new Set(applications.flatMap(({ plan }) => plan.queues.map(({ name }) => name)));
  const found = new Map<string, LeftOverQueue>();
  for (const { service, prefix, delayPrefix } of services) {
    const names = new Names(prefix, delayPrefix);
    for (const queue of queues) {
      const { name, exclusive } = queue;
      // What stands for a migrated queue is the queue. While both are there, it is being migrated.
      const logical = logicalNameOf(name);
      if (exclusive || declared.has(logical) || !isNamedAfter(service, name)) continue;
      if (queues.some((each) => each.name !== name && logicalNameOf(each.name) === logical)) continue;
      // The binding to the default exchange belongs to the queue itself and can't be undone.
      const own = bindings.filter(
        ({ source, destination, destinationType }) =>
          source !== '' && destinationType === 'queue' && destination === name,
      );
      const part = partOf(queue, own, names);
      if (part && !found.has(name))
        found.set(name, { name, ...part, held: heldIn(queue), bindings: own, names });
    }
  }
  return [...found.values()];
}

/**
 * Names of the queues that are there; of those that processes have for themselves, the name that all of them have in common, and of
 * migrated ones their own.
 */
export const namesThere = (queues: readonly ManagedQueue[]): ReadonlySet<string> =>
  new Set(queues.map(({ name, exclusive }) => (exclusive ? sharedNameOf(name) : logicalNameOf(name))));

/**
 * Tells whether a queue has a default name of a service, or is a lane of the queue that has the service's
 * name.
 */
export const isNamedAfter = (service: string, queue: string): boolean =>
  queue === service || queue.startsWith(`${service}.`);

/**
 * Number of messages held by a consumer that AMQP no longer counts: a version that stops, and whose handlers
 * still run. A quorum queue counts the consumer until all its messages are settled, a classic one doesn't: if
 * it were deleted meanwhile, messages that the consumer gives back would be lost.
 */
export const heldIn = ({ type, unsettled }: ManagedQueue): number => (type === 'classic' ? unsettled : 0);

/** The role of a queue in its application; undefined if it belongs to another application. */
function partOf(
  { name, arguments: { 'x-dead-letter-exchange': leadsTo } }: ManagedQueue,
  bindings: readonly ManagedBinding[],
  names: Names,
): Pick<LeftOverQueue, 'kind' | 'of'> | undefined {
  const of = name.replace(/\.(dead|land)$/, '');
  if (name === landingQueueOf(of)) return leadsTo === names.land ? { kind: 'landing', of } : undefined;
  if (name === deadQueueOf(of))
    return bindings.some(({ source }) => source === names.dead) ? { kind: 'dead', of } : undefined;
  return leadsTo === names.dead ? { kind: 'work', of: logicalNameOf(name) } : undefined;
}

/** A way on which messages come into a work queue: an exchange and a pattern. */
export interface Way {
  readonly exchange: string;
  readonly pattern: string;
  /** Type of the exchange, as the application has it. */
  readonly type: ExchangeType;
  /**
   * Queue of the application that has the same pattern on the same exchange; undefined if none has it, or
   * several have.
   */
  readonly successor: string | undefined;
}

/**
 * The ways into a left-over queue, each with its successor. The pattern has to be the same: a queue with a
 * wider one gets its own copy of each message, and got it before.
 */
export function waysInto({ bindings, names }: LeftOverQueue, applications: readonly BusDescription[]): Way[] {
  const exchanges = applications.flatMap(({ plan }) => plan.exchanges);
  const typeOf = (exchange: string): ExchangeType =>
    exchanges.find(({ name }) => name === exchange || name === baseExchangeOf(exchange))?.type ?? 'topic';
  return bindings
    .filter(({ source }) => ![names.dead, names.land, names.delayOut].includes(source))
    .map((asked) => {
      const { source: exchange, pattern } = asked;
      const taking = (from: string) => [
        ...new Set(
          applications
            .flatMap(({ plan }) => plan.bindings)
            .filter((binding) => askedOf(binding) === askedOf({ ...asked, source: from }))
            .map(({ destination }) => destination),
        ),
      ];
      const own = taking(exchange);
      // The exchange is that of a lane that no queue has any more.
      const [first, ...others] = own.length > 0 ? own : taking(baseExchangeOf(exchange));
      return {
        exchange,
        pattern,
        type: typeOf(exchange),
        successor: others.length === 0 ? first : undefined,
      };
    });
}

/** False, too, where more than the key decides. */
const mayLead = ({ type, pattern }: Way, routingKey: string): boolean =>
  type === 'fanout' || ((type === 'topic' || type === 'direct') && topicMatches(pattern, routingKey));

/** The queue that a message from these ways belongs to now; undefined if that is not clear. */
export function successorFor(ways: readonly Way[], exchange: string, routingKey: string): string | undefined {
  const taken = ways.filter(
    (way) =>
      (way.exchange === exchange || way.exchange === baseExchangeOf(exchange)) && mayLead(way, routingKey),
  );
  const [first, ...others] = new Set(taken.map(({ successor }) => successor));
  return others.length === 0 ? first : undefined;
}
