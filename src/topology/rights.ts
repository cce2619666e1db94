import { delayEntries, delayKeys, PROBE_EXCHANGE } from './delays.js';
import type { Names } from './names.js';
import type { TopologyPlan } from './plan.js';

/*
 * The least that a service must be allowed to do, as RabbitMQ checks it (https://www.rabbitmq.com/docs/access-control):
 * declaring needs configure on the resource; with a dead-letter or alternate exchange also read on it and write on that
 * exchange; binding needs write on the destination and read on the source; publishing write on the exchange, consuming
 * read on the queue. A passive check needs any right on the resource since RabbitMQ 4.3.1 (rabbitmq-server#16272; 4.2.6 and
 * 4.3.0 ask for configure), and none before 4.2.6. What the broker itself moves, by TTL or dead-lettering, nobody is asked
 * for.
 */

/**
 * What a service does that it needs rights for. `verify`: everything is there, and it only checks. `declare`: the
 * exchanges and the delays are there, and it declares its own queues and binds them. `first`: it is the first in the
 * vhost and declares all of it.
 */
export type Occasion = 'verify' | 'declare' | 'first';

/** Regular expressions for the names of exchanges and queues, as `rabbitmqctl set_permissions` takes them. */
export interface Permissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** Regular expressions for the routing keys of one topic exchange, as `rabbitmqctl set_topic_permissions` takes them. */
export interface TopicPermissions {
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/** A service, as far as its rights go. */
export interface ServicePlan {
  readonly names: Names;
  /** What it declares beside the delays. */
  readonly plan: TopologyPlan;
  /** It hears operators. */
  readonly hears: boolean;
  /** Exchanges that it publishes to, into any lane. */
  readonly publishesTo: readonly string[];
}

/** Of a user that one or several services log in as. */
export function permissionsOf(services: readonly ServicePlan[], occasion: Occasion): Permissions {
  const wanted = services.map((service) => wantedBy(service, occasion));
  return {
    configure: anyOf(wanted.flatMap(({ configure }) => configure)),
    write: anyOf(wanted.flatMap(({ write }) => write)),
    read: anyOf(wanted.flatMap(({ read }) => read)),
  };
}

/**
 * What keeps a service from sending into another's queue through the delays, and from taking another's retries out of
 * them. The same on every occasion.
 */
export function topicPermissionsOf(services: readonly ServicePlan[]): TopicPermissions[] {
  const queues = unique(services.flatMap(({ names, plan }) => workQueues(names, plan)).map(escaped));
  const out = unique(services.map(({ names }) => names.delayOut));
  const into = unique(services.flatMap(({ names }) => delayEntries(names)));
  const written = unique(services.flatMap(({ publishesTo }) => publishesTo.map(withLanes)));
  const bound = unique(services.flatMap(({ names, plan }) => boundExchanges(names, plan)).map(escaped));
  return [
    // Who may bind to an entry at all is said by the permissions: on the first occasion only.
    ...into.map((exchange) => ({
      exchange,
      write: delayKeys('number', queues, [...written, escaped(PROBE_EXCHANGE)]),
      read: '.*',
    })),
    ...out.map((exchange) => ({ exchange, write: '^$', read: delayKeys('wildcard', queues, bound) })),
  ];
}

interface Wanted {
  readonly configure: readonly string[];
  readonly write: readonly string[];
  readonly read: readonly string[];
}

function wantedBy(service: ServicePlan, occasion: Occasion): Wanted {
  const { names, plan } = service;
  const queues = plan.queues.map(({ name }) => name);
  const hearing = service.hears ? hearingOf(names) : { configure: [], write: [], read: [] };
  const running = {
    configure: hearing.configure,
    write: [
      ...service.publishesTo.map(withLanes),
      entries(names),
      ...(queues.length > 0 ? [escaped(names.dead)] : []),
      ...hearing.write,
    ],
    // Consumed are the work queues only; the rest is there to be checked. Without write on a queue none of it can be bound.
    read: [...[...queues, ...checkedExchanges(service)].map(escaped), ...hearing.read],
  };
  if (occasion === 'verify') return running;
  const deadLettering = plan.queues.filter(
    (queue) => queue.arguments['x-dead-letter-exchange'] !== undefined,
  );
  const declaring = {
    configure: [...queues.map(escaped), ...running.configure],
    write: [
      ...running.write,
      ...plan.bindings.map(({ destination }) => escaped(destination)),
      ...deadLettering.map((queue) => escaped(queue.arguments['x-dead-letter-exchange'] as string)),
    ],
    read: [
      ...running.read,
      ...plan.bindings.map(({ source }) => escaped(source)),
      ...deadLettering.map(({ name }) => escaped(name)),
    ],
  };
  return occasion === 'declare' ? declaring : withExchanges(service, declaring);
}

/**
 * A queue of the process's own, as random as its name, that it binds to what operators say; and where it answers. AMQP has no
 * right to look at what is paused that is not the right to take it away.
 */
function hearingOf(names: Names): Wanted {
  const own = `${escaped(names.control)}\\.[\\da-f-]{36}`;
  return {
    configure: [own],
    write: [own, escaped(names.controlTo)],
    read: [own, escaped(names.control), escaped(names.paused)],
  };
}

function withExchanges({ names, plan, publishesTo, hears }: ServicePlan, declaring: Wanted): Wanted {
  const delays = [names.delayLost, names.delaySink].map(escaped).concat(`${escaped(names.delay)}\\..+`);
  const foreign = new Set(plan.exchanges.filter(({ verifyOnly }) => verifyOnly).map(({ name }) => name));
  const own = plan.exchanges.map(({ name }) => name).filter((name) => !foreign.has(name));
  const control = hears ? [names.control, names.controlTo, names.paused].map(escaped) : [];
  const lanes = publishesTo.filter((name) => !foreign.has(name)).map(withLanes);
  return {
    configure: [...declaring.configure, ...lanes, ...own.map(escaped), ...control, ...delays],
    write: [...declaring.write, ...delays],
    read: [...declaring.read, ...delays],
  };
}

/** Exchanges that are looked for at start, and not published to. */
const checkedExchanges = ({ names, plan, publishesTo }: ServicePlan): string[] => {
  const written = new RegExp(anyOf([...publishesTo.map(withLanes), escaped(names.dead)]));
  return [...plan.exchanges.map(({ name }) => name).filter((name) => !written.test(name)), names.delayReady];
};

/** Those that are consumed: their dead letters go to {@link Names.dead}. */
const workQueues = (names: Names, { queues }: TopologyPlan): string[] =>
  queues.filter((queue) => queue.arguments['x-dead-letter-exchange'] === names.dead).map(({ name }) => name);

/** Exchanges whose messages its queues take, delayed ones as well. */
const boundExchanges = (names: Names, { bindings }: TopologyPlan): string[] =>
  bindings
    .map(({ source }) => source)
    .filter((name) => ![names.dead, names.land, names.delayOut].includes(name));

/** An exchange and its lanes, as names.ts calls them: a publisher may name any that some service has. */
const withLanes = (exchange: string): string => `${escaped(exchange)}(\\.lane\\.[\\w-]+)?`;

/** As part of the broker's regular expressions, which are those of PCRE. */
export const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** All of {@link delayEntries}: a letter for each unit. */
const entries = (names: Names): string => `${escaped(names.delay)}\\.in\\.\\w`;

const unique = (patterns: readonly string[]): string[] => [...new Set(patterns)];

/** Matches whole names only: the broker looks anywhere in a name. */
function anyOf(patterns: readonly string[]): string {
  const all = unique(patterns);
  const needed = all.filter((each) => !all.some((other) => other !== each && covers(other, each)));
  return needed.length === 0 ? '^$' : `^(${needed.join('|')})$`;
}

/** Whether `name`, escaped, is one of those that `pattern` matches anyway. */
function covers(pattern: string, name: string): boolean {
  const plain = name.replaceAll(/\\(\W)/g, '$1');
  return escaped(plain) === name && new RegExp(`^(${pattern})$`).test(plain);
}
