import type { BusDescription } from '../../consume/describe.js';
import { topicMatches } from '../../message/topic.js';
import { baseExchangeOf, deadQueueOf, landingQueueOf, Names } from '../../topology/names.js';
import type { ManagedBinding, ManagedQueue } from '../doctor/facts.js';

/*
 * Queues that an older build has left behind: of a class that was renamed, that a bundler calls otherwise, or that is gone. A
 * queue of Hopline's says by its arguments which application it belongs to, and by its name which service.
 */

export interface LeftOverQueue {
  readonly name: string;
  /** `landing` and `dead` stand beside a work queue. */
  readonly kind: 'work' | 'landing' | 'dead';
  /** The work queue: itself, or the one that it stands beside. */
  readonly of: string;
  /** As of {@link heldIn}. */
  readonly held: number;
  readonly bindings: readonly ManagedBinding[];
  /** Of the application that it was part of. */
  readonly names: Names;
}

/**
 * Queues by their service's name that no bus of the application declares. Whether somebody consumes them, AMQP tells.
 *
 * @param services whose names are meant
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
      const { name } = queue;
      if (declared.has(name) || !isNamedAfter(service, name)) continue;
      // The default exchange's binding is the queue's own and can't be undone.
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

/** As a service's queues are by default, and lanes of one that is called just so. */
export const isNamedAfter = (service: string, queue: string): boolean =>
  queue === service || queue.startsWith(`${service}.`);

/**
 * Messages that are held by whom AMQP doesn't count as a consumer any more: a version that stops, and whose handlers still run.
 * A quorum queue counts him until he has settled all, a classic one doesn't; deleted under him, it would lose what he gives back.
 */
export const heldIn = ({ type, unsettled }: ManagedQueue): number => (type === 'classic' ? unsettled : 0);

/** What part it has in its application; undefined if it is none of that one's. */
function partOf(
  { name, arguments: { 'x-dead-letter-exchange': leadsTo } }: ManagedQueue,
  bindings: readonly ManagedBinding[],
  names: Names,
): Pick<LeftOverQueue, 'kind' | 'of'> | undefined {
  const of = name.replace(/\.(dead|land)$/, '');
  if (name === landingQueueOf(of)) return leadsTo === names.land ? { kind: 'landing', of } : undefined;
  if (name === deadQueueOf(of))
    return bindings.some(({ source }) => source === names.dead) ? { kind: 'dead', of } : undefined;
  return leadsTo === names.dead ? { kind: 'work', of: name } : undefined;
}

/** One way on which messages come into a work queue. */
export interface Way {
  readonly exchange: string;
  readonly pattern: string;
  /** Queue of the application that has the same pattern of the same exchange. Undefined if none has it, or several have. */
  readonly successor: string | undefined;
}

/**
 * The ways into a queue that is left over, each with the queue that has it now. The pattern has to be the same: a queue with
 * a wider one gets its own copy of each message, and got it before.
 */
export function waysInto({ bindings, names }: LeftOverQueue, applications: readonly BusDescription[]): Way[] {
  return bindings
    .filter(({ source }) => ![names.dead, names.land, names.delayOut].includes(source))
    .map(({ source: exchange, pattern }) => {
      const taking = (from: string) => [
        ...new Set(
          applications
            .flatMap(({ plan }) => plan.bindings)
            .filter((binding) => binding.source === from && binding.pattern === pattern)
            .map(({ destination }) => destination),
        ),
      ];
      const own = taking(exchange);
      // Of a lane that no queue has any more.
      const [first, ...others] = own.length > 0 ? own : taking(baseExchangeOf(exchange));
      return { exchange, pattern, successor: others.length === 0 ? first : undefined };
    });
}

/** The queue that a message belongs to now that came on one of these ways; undefined if that is not clear. */
export function successorFor(ways: readonly Way[], exchange: string, routingKey: string): string | undefined {
  const taken = ways.filter(
    (way) =>
      (way.exchange === exchange || way.exchange === baseExchangeOf(exchange)) &&
      topicMatches(way.pattern, routingKey),
  );
  const [first, ...others] = new Set(taken.map(({ successor }) => successor));
  return others.length === 0 ? first : undefined;
}
