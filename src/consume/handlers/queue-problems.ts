import { partConcurrency } from '../../features/concurrency/option.js';
import type { DeclaredHandler } from '../../features/features.js';
import { featureQueueProblems } from '../../features/handler-features.js';
import { isMessageDefinition, type MessageDefinition } from '../../message/define-message.js';
import {
  type ExchangeOption,
  type ExchangeRef,
  exchangeOption,
  exchangeRef,
} from '../../message/exchange-option.js';
import { DEFAULT_LANE, exchangeNameProblem, laneExchangeOf, queueNameProblem } from '../../topology/names.js';
import { shownExchange } from '../../topology/said-exchanges.js';
import { isPlainObject, show } from '../../util/check.js';
import { brokerQueueProblems } from './broker-queues.js';
import type { HandlerDefinition, LaneOptions } from './definition.js';
import { laneProblems, lanesOf, lanesOption, shownLanes } from './lanes.js';

/*
 * What can be wrong with handlers that are right each by itself: those of one queue must say alike what they share, and
 * what they say together must fit, and the queues of one bus must not meet.
 */

/** Everything that is the queue's, not the handler's. */
const SHARED_OPTIONS = [
  'concurrency',
  'prefetch',
  'type',
  'exchange',
  'declare',
  'arguments',
  'singleActiveConsumer',
  'deliveryLimit',
  'maxPriority',
  'lanes',
  'body',
  'publishes',
] as const;

/** Handlers by the name of the queue they share. */
type Groups = ReadonlyMap<string, readonly HandlerDefinition[]>;

export const patternOf = (pattern: string | MessageDefinition): string =>
  isMessageDefinition(pattern) ? pattern.key : pattern;

/** The handler as its features judge it. */
export function declared({ name, patterns, queue, options }: HandlerDefinition): DeclaredHandler {
  const { concurrency: _asGiven, ...others } = options;
  return {
    ...{ name, queue, options: { ...others, ...partConcurrency(options) } },
    patterns: patterns.map(patternOf),
  };
}

/** @param busExchange of handlers that name none */
export function queueProblems(groups: Groups, busExchange: ExchangeRef): string[] {
  const problems = [...groups].flatMap(([queue, group]) => {
    const nameProblem = queueNameProblem(queue);
    return [
      ...(nameProblem ? [`${group[0]?.name}: ${nameProblem}`] : []),
      ...saidDifferently(queue, group),
      ...kindsThatCannotMeet(queue, group),
      ...laneNamesThatCannotBe(queue, group, busExchange),
      ...prioritiesBeyondQuorum(queue, group),
      ...brokerQueueProblems(queue, group),
      ...patternsWithTwoOwners(queue, group, busExchange),
      ...featureQueueProblems(queue, group.map(declared)),
    ];
  });
  return [...problems, ...lanesThatAreQueues(groups)];
}

function saidDifferently(queue: string, group: readonly HandlerDefinition[]): string[] {
  return SHARED_OPTIONS.flatMap((option) => {
    const [first, ...rest] = group.filter((definition) => definition.queue[option] !== undefined);
    const shown = (definition: HandlerDefinition) => shownOption(option, definition.queue[option]);
    const other = first && rest.find((definition) => !isAlike(option, definition, first));
    return other
      ? [
          `queue '${queue}' has ${option} ${shown(first)} in ${first.name} and ${shown(other)} in ${other.name}: say it once, or alike`,
        ]
      : [];
  });
}

/** A queue of requests, and one of messages that is named like it; and what a queue of requests can't have. */
function kindsThatCannotMeet(queue: string, group: readonly HandlerDefinition[]): string[] {
  const responder = group.find(({ answers }) => answers !== undefined);
  if (!responder) return [];
  const other = group.find(({ answers }) => answers === undefined);
  if (other)
    return [
      `queue '${queue}' has the requests of ${responder.name}, and ${other.name} handles messages there: give one of them another queue`,
    ];
  return (['lanes', 'maxPriority'] as const)
    .filter((option) => group.some((definition) => definition.queue[option] !== undefined))
    .map(
      (option) =>
        `queue '${queue}' has requests, which have no ${option === 'lanes' ? 'lanes' : 'priorities'}: give ${responder.name} a class, or a queue, without ${option}`,
    );
}

type SharedOption = (typeof SHARED_OPTIONS)[number];

/** A deserializer is like itself alone, of the others those that are shown alike. */
function isAlike(name: SharedOption, { queue: one }: HandlerDefinition, { queue: other }: HandlerDefinition) {
  if (name === 'body') return one.body === other.body;
  return shownOption(name, one[name]) === shownOption(name, other[name]);
}

/** As problems show an option: an exchange by its name, with what is said of it. */
function shownOption(name: SharedOption, option: unknown): string {
  if (name === 'lanes' && lanesOption.accepts(option)) return shownLanes(option as LaneOptions);
  if (name === 'body' && isPlainObject(option)) return 'a deserializer of its own';
  if (name === 'exchange' && exchangeOption.accepts(option))
    return shownRef(exchangeRef(option as ExchangeOption));
  return show(option);
}

function shownRef(exchange: ExchangeRef): string {
  const { name, type, arguments: its, declare } = exchange;
  const parts = [...(type || its ? [shownExchange(exchange)] : []), ...(declare ? [] : ['declare: false'])];
  return parts.length > 0 ? `${show(name)} (${parts.join(', ')})` : show(name);
}

/** The lanes that a group asks for, if it does and they have the form of lanes. */
function lanesIn(group: readonly HandlerDefinition[]): LaneOptions | undefined {
  const lanes = group.map((definition) => definition.queue.lanes).find((option) => option !== undefined);
  return lanesOption.accepts(lanes) ? lanes : undefined;
}

function laneNamesThatCannotBe(
  queue: string,
  group: readonly HandlerDefinition[],
  busExchange: ExchangeRef,
): string[] {
  const lanes = lanesIn(group);
  if (lanes === undefined) return [];
  const problems = laneProblems(lanes);
  if (problems.length > 0) return problems.map((problem) => `queue '${queue}': ${problem}`);
  const options = group.flatMap(({ queue: own, options: { exchange } }) => exchange ?? own.exchange ?? []);
  const exchanges = new Set([busExchange.name, ...options.filter(exchangeOption.accepts).map(nameOf)]);
  return lanesOf(queue, lanes)
    .filter(({ name }) => name !== DEFAULT_LANE) // whose names are checked as the plain ones
    .flatMap((lane) => [
      queueNameProblem(lane.queue),
      ...[...exchanges].map((exchange) => exchangeNameProblem(laneExchangeOf(exchange, lane.name))),
    ])
    .filter((problem) => problem !== undefined)
    .map((problem) => `queue '${queue}': ${problem}`);
}

const nameOf = (option: Parameters<typeof exchangeRef>[0]): string => exchangeRef(option).name;

/** Levels of a quorum queue, 0 to 31 (https://www.rabbitmq.com/docs/quorum-queues#priorities). */
const MAX_QUORUM_PRIORITY = 31;

function prioritiesBeyondQuorum(queue: string, group: readonly HandlerDefinition[]): string[] {
  const said = Object.assign(
    {},
    ...group.map((definition) => definition.queue),
  ) as HandlerDefinition['queue'];
  const { type = 'quorum', maxPriority } = said;
  if (type !== 'quorum' || typeof maxPriority !== 'number' || maxPriority <= MAX_QUORUM_PRIORITY) return [];
  return [
    `queue '${queue}' has maxPriority ${maxPriority}: a quorum queue has priorities 0 to ${MAX_QUORUM_PRIORITY}; lower it, or say type: 'classic'`,
  ];
}

/** The exchange of each handler of a queue: its own, the queue's or the bus's. */
export function exchangesIn(
  group: readonly HandlerDefinition[],
  busExchange: ExchangeRef,
): (definition: HandlerDefinition) => ExchangeRef {
  const ofQueue = group.map((definition) => definition.queue.exchange).find((option) => option !== undefined);
  return ({ options: { exchange = ofQueue } }) =>
    exchangeOption.accepts(exchange) ? exchangeRef(exchange as ExchangeOption) : busExchange;
}

/** The same pattern on two exchanges is two handlers' business. */
function patternsWithTwoOwners(
  queue: string,
  group: readonly HandlerDefinition[],
  busExchange: ExchangeRef,
): string[] {
  const exchangeOf = exchangesIn(group, busExchange);
  const problems: string[] = [];
  const owners = new Map<string, string>();
  for (const definition of group) {
    const { name } = definition;
    const { name: exchange } = exchangeOf(definition);
    for (const pattern of definition.patterns.map(patternOf)) {
      const route = JSON.stringify([exchange, pattern]);
      const owner = owners.get(route);
      if (owner !== undefined) {
        problems.push(
          `queue '${queue}': both ${owner} and ${name} handle '${pattern}' of exchange '${exchange}'; give one of them a queue of its own, or another pattern`,
        );
      }
      owners.set(route, name);
    }
  }
  return problems;
}

/** A lane's queue that is another subscription's queue would be consumed by both. */
function lanesThatAreQueues(groups: Groups): string[] {
  const owners = new Map<string, string>();
  for (const queue of groups.keys()) owners.set(queue, `queue '${queue}'`);
  const problems: string[] = [];
  for (const [queue, group] of groups) {
    const lanes = lanesIn(group);
    if (lanes === undefined || laneProblems(lanes).length > 0) continue;
    for (const lane of lanesOf(queue, lanes)) {
      const owner = owners.get(lane.queue);
      const own = `lane '${lane.name}' of queue '${queue}'`;
      if (owner !== undefined && lane.queue !== queue)
        problems.push(`${own} is the queue '${lane.queue}', and so is ${owner}: rename one of them`);
      else owners.set(lane.queue, own);
    }
  }
  return problems;
}
