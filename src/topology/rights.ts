import { delayEntries, delayKeys, retryPattern } from './delays.js';
import { type Names, PROBE_EXCHANGE } from './names.js';
import { goesWithConsumer, lastingPart, type TopologyPlan } from './plan.js';
import { PROCESS_WORD } from './process-queue.js';

/*
 * Minimum permissions of a service, as RabbitMQ checks them (https://www.rabbitmq.com/docs/access-control).
 * Declaring needs configure on the resource; with a dead-letter or alternate exchange also read on it and write
 * on that exchange. Binding needs write on the destination and read on the source. Publishing needs write on
 * the exchange, consuming read on the queue. A passive check needs any permission on the resource since
 * RabbitMQ 4.3.1 (rabbitmq-server#16272; 4.2.6 and 4.3.0 ask for configure), and none before 4.2.6. What the
 * broker itself moves, by TTL or dead-lettering, is not checked.
 */

/**
 * Activities of a service that need permissions. `verify`: everything exists, and the service only checks.
 * `declare`: the exchanges and the delays exist, and it declares and binds its own queues. `first`: it is the
 * first service of the vhost and declares everything.
 */
export type Occasion = 'verify' | 'declare' | 'first';

/** Regular expressions for the names of exchanges and queues, for `rabbitmqctl set_permissions`. */
export interface Permissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** Regular expressions for the routing keys of one topic exchange, for `rabbitmqctl set_topic_permissions`. */
export interface TopicPermissions {
  readonly exchange: string;
  readonly write: string;
  readonly read: string;
}

/** The parts of a service that its permissions depend on. */
export interface ServicePlan {
  readonly names: Names;
  /** Topology that it declares, without the delays. */
  readonly plan: TopologyPlan;
  /** True if it takes operators' requests. */
  readonly operatorControl: boolean;
  /** Exchanges that it publishes to, into any lane. */
  readonly publishesTo: readonly string[];
  /** Queues that it sends to past all exchanges, into any lane. @default none */
  readonly sendsTo?: readonly string[];
}

/** Permissions of a user that one or several services share. */
export function permissionsOf(services: readonly ServicePlan[], occasion: Occasion): Permissions {
  const wanted = services.map((service) => wantedBy(service, occasion));
  return {
    configure: anyOf(wanted.flatMap(({ configure }) => configure)),
    write: anyOf(wanted.flatMap(({ write }) => write)),
    read: anyOf(wanted.flatMap(({ read }) => read)),
  };
}

/**
 * Topic permissions that keep a service from sending into another's queues through the delays, and from taking
 * another's retries out of them. The same for every occasion.
 */
export function topicPermissionsOf(services: readonly ServicePlan[]): TopicPermissions[] {
  const queues = unique(services.flatMap(({ names, plan }) => workQueues(names, plan)).map(escaped));
  const sent = unique(
    services.flatMap(({ sendsTo = [] }) => sendsTo.map((queue) => `${escaped(queue)}(\\.[\\w-]+)?`)),
  );
  const out = unique(services.map(({ names }) => names.delayOut));
  const into = unique(services.flatMap(({ names }) => delayEntries(names)));
  const written = unique(services.flatMap(({ publishesTo }) => publishesTo.map(withLanes)));
  const bound = unique(services.flatMap(({ names, plan }) => boundExchanges(names, plan)).map(escaped));
  return [
    // Who may bind to an entry is limited by the permissions: only at the first occasion.
    ...into.map((exchange) => ({
      exchange,
      write: delayKeys('number', [...queues, ...sent], [...written, escaped(PROBE_EXCHANGE)]),
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

/** What follows the name of a queue that was migrated: `ledger~2` stands for `ledger`. */
const GENERATION = '(~\\d+)?';

function wantedBy(service: ServicePlan, occasion: Occasion): Wanted {
  const { names, plan } = service;
  const queues = lastingPart(plan).queues.map(({ name }) => name);
  const answering = answeringOf(plan);
  const hearing = service.operatorControl ? hearingOf(names) : { configure: [], write: [], read: [] };
  const own = ownQueuesOf(plan);
  const foreign = new Set(plan.queues.filter(({ verifyOnly }) => verifyOnly).map(({ name }) => name));
  const work = new Set(workQueues(names, plan).filter((name) => !foreign.has(name)));
  const queue = (name: string) => (work.has(name) ? `${escaped(name)}${GENERATION}` : escaped(name));
  const running = {
    configure: [...own.configure, ...answering.configure, ...hearing.configure],
    write: [
      ...answering.write,
      ...service.publishesTo.map(withLanes),
      ...(service.sendsTo?.length ? [escaped(DEFAULT_EXCHANGE)] : []),
      entries(names),
      ...(plan.exchanges.some(({ name }) => name === names.dead) ? [escaped(names.dead)] : []),
      ...own.write,
      ...hearing.write,
    ],
    // Only work queues are consumed; the others are checked. None can be bound without write on a queue.
    read: [
      ...queues.map(queue),
      ...checkedExchanges(service).map(escaped),
      ...[...own.read, ...answering.read, ...hearing.read],
    ],
  };
  if (occasion === 'verify') return running;
  const deadLettering = plan.queues.filter(
    (queue) => queue.arguments['x-dead-letter-exchange'] !== undefined,
  );
  const made = queues.filter((name) => !foreign.has(name));
  const declaring = {
    configure: [...made.map(queue), ...running.configure],
    write: [
      ...running.write,
      ...plan.bindings.map(({ destination }) => queue(destination)),
      ...deadLettering.map((each) => escaped(each.arguments['x-dead-letter-exchange'] as string)),
    ],
    read: [
      ...running.read,
      ...plan.bindings.map(({ source }) => escaped(source)),
      ...deadLettering.map(({ name }) => queue(name)),
    ],
  };
  return occasion === 'declare' ? declaring : withExchanges(service, declaring);
}

/** Permissions for the queues that a process makes for itself whenever it consumes, whoever declares the rest. */
function ownQueuesOf({ processQueues = [] }: TopologyPlan): Wanted {
  const own = processQueues.map(({ name }) => `${escaped(name)}\\.${PROCESS_WORD}`);
  const sources = processQueues.flatMap(({ bindings }) => bindings.map(({ source }) => escaped(source)));
  return { configure: own, write: own, read: [...own, ...sources] };
}

/** As the broker names the default exchange, by which replies go, and what is sent to a queue. */
const DEFAULT_EXCHANGE = 'amq.default';

/**
 * Permissions of responders: the queue of their requests comes and goes with its consumers, so that each of them declares and binds it,
 * whatever else it may declare.
 */
function answeringOf({ queues, bindings }: TopologyPlan): Wanted {
  const own = queues.filter(goesWithConsumer).map(({ name }) => name);
  if (own.length === 0) return { configure: [], write: [], read: [] };
  const sources = bindings.filter(({ destination }) => own.includes(destination)).map(({ source }) => source);
  return {
    configure: own.map(escaped),
    write: [...own, DEFAULT_EXCHANGE].map(escaped),
    read: [...own, ...sources].map(escaped),
  };
}

/**
 * Permissions for operators' requests: a queue of the process with a random name, bound to the requests'
 * exchange, and the exchange of the answers; and for such a queue in which it hears how the jobs end that it
 * has sent. AMQP has no permission to read the list of paused queues without that to remove it.
 */
function hearingOf(names: Names): Wanted {
  const own = `${escaped(names.control)}\\.(jobs\\.)?[\\da-f-]{36}`;
  return {
    configure: [own],
    write: [own, escaped(names.controlTo)],
    read: [own, escaped(names.control), escaped(names.paused), escaped(names.migrations)],
  };
}

function withExchanges(
  { names, plan, publishesTo, operatorControl }: ServicePlan,
  declaring: Wanted,
): Wanted {
  const delays = [names.delayLost, names.delaySink].map(escaped).concat(`${escaped(names.delay)}\\..+`);
  const foreign = new Set(plan.exchanges.filter(({ verifyOnly }) => verifyOnly).map(({ name }) => name));
  const own = plan.exchanges.map(({ name }) => name).filter((name) => !foreign.has(name));
  const control = operatorControl ? [names.control, names.controlTo, names.paused].map(escaped) : [];
  const lanes = publishesTo.filter((name) => !foreign.has(name)).map(withLanes);
  return {
    configure: [...declaring.configure, ...lanes, ...own.map(escaped), ...control, ...delays],
    write: [...declaring.write, ...delays],
    read: [...declaring.read, ...delays],
  };
}

/** Exchanges that are checked at start, and not published to. */
const checkedExchanges = ({ names, plan, publishesTo }: ServicePlan): string[] => {
  const written = new RegExp(anyOf([...publishesTo.map(withLanes), escaped(names.dead)]));
  return [...plan.exchanges.map(({ name }) => name).filter((name) => !written.test(name)), names.delayReady];
};

/** Queues that are consumed, and to which delays lead: their dead letters go to {@link Names.dead}; but for guards, which have none. */
const workQueues = (names: Names, { queues, bindings }: TopologyPlan): string[] => {
  const reached = new Set(
    bindings
      .filter(
        ({ source, destination, pattern }) =>
          source === names.delayOut && pattern === retryPattern(destination),
      )
      .map(({ destination }) => destination),
  );
  return queues
    .filter(
      ({ name, verifyOnly, arguments: its }) =>
        verifyOnly || its['x-dead-letter-exchange'] === names.dead || reached.has(name),
    )
    .map(({ name }) => name);
};

/** Exchanges whose messages its queues take, delayed ones included. */
const boundExchanges = (names: Names, plan: TopologyPlan): string[] =>
  [...lastingPart(plan).bindings, ...(plan.processQueues ?? []).flatMap((each) => each.bindings)]
    .map(({ source }) => source)
    .filter((name) => ![names.dead, names.land, names.delayOut].includes(name));

/** An exchange and its lanes, named as in names.ts: a publisher may use any lane of any service. */
const withLanes = (exchange: string): string => `${escaped(exchange)}(\\.lane\\.[\\w-]+)?`;

/** Escapes a name for the broker's regular expressions, which are PCRE. */
export const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** All of {@link delayEntries}: one letter per unit. */
const entries = (names: Names): string => `${escaped(names.delay)}\\.in\\.\\w`;

const unique = (patterns: readonly string[]): string[] => [...new Set(patterns)];

/** Matches whole names only: the broker would match any part of a name. */
function anyOf(patterns: readonly string[]): string {
  const all = unique(patterns);
  const needed = all.filter((each) => !all.some((other) => other !== each && covers(other, each)));
  return needed.length === 0 ? '^$' : `^(${needed.join('|')})$`;
}

/** True if `pattern` already matches `name`, which is escaped. */
function covers(pattern: string, name: string): boolean {
  const plain = name.replaceAll(/\\(\W)/g, '$1');
  return escaped(plain) === name && new RegExp(`^(${pattern})$`).test(plain);
}
