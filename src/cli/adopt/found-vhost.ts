import { hasWildcard, patternProblem } from '../../message/routing/routing-key.js';
import type {
  ManagedBinding,
  ManagedExchange,
  ManagedQueueInUse,
} from '../../oversight/management/managed.js';
import { exchangeNameProblem, Names, queueNameProblem } from '../../topology/names.js';
import { escaped } from '../../topology/rights.js';

/** A vhost as the management API describes it. */
export interface Vhost {
  readonly exchanges: readonly ManagedExchange[];
  readonly queues: readonly ManagedQueueInUse[];
  readonly bindings: readonly ManagedBinding[];
}

/** What of a vhost is meant. Names may hold `*` for any text. */
export interface Selection {
  readonly queues: readonly string[];
  /** Exchanges that are meant, with the queues that are bound to them. */
  readonly exchanges: readonly string[];
}

/** What can be adopted of a vhost. */
export interface Adoptable {
  readonly exchanges: readonly ManagedExchange[];
  readonly queues: readonly AdoptableQueue[];
  readonly leftOut: readonly LeftOut[];
}

export interface AdoptableQueue {
  readonly queue: ManagedQueueInUse;
  /** Bindings from other exchanges than the default one, which leads to every queue. */
  readonly bindings: readonly ManagedBinding[];
  /** Patterns of what comes into the queue; `#` if its bindings don't tell. */
  readonly patterns: readonly string[];
}

/** Something that is left out, and why. */
export interface LeftOut {
  readonly kind: 'exchange' | 'queue';
  readonly name: string;
  readonly why: string;
}

/** Names that the selection holds, and that nothing in the vhost has. */
export function unknownNames({ queues, exchanges }: Vhost, selection: Selection): string[] {
  const nobody = (names: readonly string[], all: readonly { readonly name: string }[]) =>
    names.filter((name) => !all.some((each) => isMeant(each.name, [name])));
  return [...nobody(selection.queues, queues), ...nobody(selection.exchanges, exchanges)];
}

/** Finds what can be adopted of what is selected; everything if nothing is. */
export function adoptable(vhost: Vhost, selection: Selection): Adoptable {
  const own = ownIn(vhost);
  const bindings = vhost.bindings.filter(({ source }) => source !== '');
  const isAll = selection.queues.length + selection.exchanges.length === 0;
  const leading = (queue: string) =>
    bindings.filter((each) => each.destinationType === 'queue' && each.destination === queue);
  const leftOut: LeftOut[] = [];
  const queues = vhost.queues
    .filter(({ name }) => {
      const isOfExchange = () => leading(name).some(({ source }) => isMeant(source, selection.exchanges));
      return isAll || isMeant(name, selection.queues) || isOfExchange();
    })
    .filter((queue) => {
      const why = whyNoQueue(queue, own);
      if (why !== undefined) leftOut.push({ kind: 'queue', name: queue.name, why });
      return why === undefined;
    })
    .map((queue) => {
      const its = leading(queue.name).filter(({ source }) => !own.isExchange(source));
      return { queue, bindings: its, patterns: patternsOf(its, vhost.exchanges) };
    });
  const used = new Set(queues.flatMap((each) => each.bindings.map(({ source }) => source)));
  const exchanges = vhost.exchanges
    .filter(({ name, internal }) => {
      const isWanted = used.has(name) || isMeant(name, selection.exchanges);
      return isWanted || (isAll && !internal && !name.startsWith('amq.') && name !== '');
    })
    .filter(({ name }) => {
      const why = own.isAnyExchange(name) ? OF_HOPLINE : exchangeNameProblem(name);
      if (why !== undefined) leftOut.push({ kind: 'exchange', name, why });
      return why === undefined;
    });
  return { exchanges, queues, leftOut };
}

const OF_HOPLINE = "it is one of Hopline's own";

function whyNoQueue(queue: ManagedQueueInUse, own: OwnParts): string | undefined {
  if (queue.type === 'stream') return 'it is a stream, whose messages stay in it';
  if (queue.exclusive) return 'it is exclusive: it belongs to one connection, and goes with it';
  if (queue.autoDelete) return 'it is auto-delete: it goes with its last consumer';
  return own.isQueue(queue) ? OF_HOPLINE : queueNameProblem(queue.name);
}

interface OwnParts {
  /** Those that lead to dead letters, delays and operators. */
  isExchange(name: string): boolean;
  /** Those, and what services publish to by default. */
  isAnyExchange(name: string): boolean;
  isQueue(queue: ManagedQueueInUse): boolean;
}

/** What applications of Hopline have declared in a vhost, whatever their prefixes. */
function ownIn({ exchanges, bindings }: Vhost): OwnParts {
  const typeOf = new Map(exchanges.map(({ name, type }) => [name, type]));
  const ofExchange = (pattern: RegExp) =>
    exchanges.flatMap(({ name }) => {
      const [, prefix] = pattern.exec(name) ?? [];
      return prefix === undefined ? [] : [prefix];
    });
  const delays = ofExchange(/^(.+)\.delay\.\d+\.ready$/);
  const others = ofExchange(/^(.+)\.control\.to$/).filter(
    (prefix) => typeOf.get(`${prefix}.control`) === 'fanout',
  );
  const all = ['hopline', ...delays, ...others].map((prefix) => new Names(prefix, prefix));
  const isExchange = (name: string) => all.some((names) => names.isOwnExchange(name));
  // Not what landing queues lead to: that may be a queue of someone else. Hopline's own are known by their arguments.
  const belonging = new Set(
    bindings
      .filter(({ source }) => all.some(({ dead }) => source === dead))
      .map(({ destination }) => destination),
  );
  return {
    isExchange,
    isAnyExchange: (name) => isExchange(name) || all.some(({ events }) => name === events),
    isQueue: ({ name, arguments: its }) =>
      all.some((names) => isOwnQueue(names, name)) ||
      belonging.has(name) ||
      all.some(({ dead, land }) => [dead, land].includes(String(its['x-dead-letter-exchange']))),
  };
}

/** Without what is one by its last word alone: queues of others may well end in `.dead`. */
const isOwnQueue = (names: Names, name: string): boolean =>
  names.isOwnQueue(name) && queueNameProblem(name) === undefined;

/** Tells whether a name is among these, which may hold `*`. */
const isMeant = (name: string, meant: readonly string[]): boolean =>
  meant.some((each) => new RegExp(`^${each.split('*').map(escaped).join('.*')}$`, 's').test(name));

/** Keys of topic and direct exchanges say what comes; of others everything may. */
function patternsOf(bindings: readonly ManagedBinding[], exchanges: readonly ManagedExchange[]): string[] {
  const types = new Map(exchanges.map(({ name, type }) => [name, type]));
  const isTelling = bindings.every(({ source, pattern }) => {
    const type = types.get(source);
    return (
      (type === 'topic' || (type === 'direct' && !hasWildcard(pattern))) &&
      patternProblem(pattern) === undefined
    );
  });
  return isTelling && bindings.length > 0 ? [...new Set(bindings.map(({ pattern }) => pattern))] : ['#'];
}
