import {
  type ExchangeOption,
  type ExchangeRef,
  exchangeOption,
  exchangeRef,
} from '../../message/exchange-option.js';
import type { BindingOption } from '../../message/routing/binding-option.js';
import { hasWildcard } from '../../message/routing/routing-key.js';
import { isBrokersOwn } from '../../topology/names.js';
import { SaidExchanges } from '../../topology/said-exchanges.js';
import { isPlainObject, show } from '../../util/check.js';
import type { HandlerDefinition } from './definition.js';
import { exchangesIn, patternOf } from './queue-problems.js';

/** Handlers by the name of the queue they share. */
type Groups = ReadonlyMap<string, readonly HandlerDefinition[]>;

/** What the bus and its handlers say of their exchanges, and what is wrong with that. @param busExchange of handlers that name none */
export function saidOfExchanges(
  groups: Groups,
  busExchange: ExchangeRef,
): { readonly said: SaidExchanges; readonly problems: readonly string[] } {
  const said = new SaidExchanges();
  const problems: string[] = [];
  said.add(busExchange, 'the bus');
  for (const { name, queue, options } of [...groups.values()].flat())
    for (const option of [queue.exchange, options.exchange]) {
      const problem = exchangeOption.accepts(option) && said.add(exchangeRef(option as ExchangeOption), name);
      if (problem) problems.push(problem);
    }
  for (const group of groups.values()) {
    const exchangeOf = exchangesIn(group, busExchange);
    const isBound = group.every((definition) => definition.queue.declare !== false);
    const hasLanes = group.some((definition) => definition.queue.lanes !== undefined);
    for (const definition of group) {
      const { binding } = definition.options;
      const exchange = exchangeOf(definition);
      if (hasLanes && isBrokersOwn(exchange.name))
        problems.push(
          `${definition.name}: a lane needs an exchange of its own, and the broker keeps all names like '${exchange.name}.lane.…' for itself: take another exchange, or a queue without lanes`,
        );
      const found = isBound
        ? bindingProblems(
            said.whole(exchange),
            definition.patterns.map((each) => String(patternOf(each))),
            partsOf(binding),
          )
        : [];
      problems.push(...found.map((problem) => `${definition.name}: ${problem}`));
    }
  }
  return { said, problems: [...new Set(problems)] };
}

const partsOf = (binding: unknown): BindingOption | undefined =>
  isPlainObject(binding) ? (binding as BindingOption) : undefined;

/*
 * What the broker would take without a word, and which then leads nothing, or everything, to the queue. Tried on RabbitMQ 3.10.8 and
 * 4.3.6.
 */

/**
 * What is wrong with how a handler asks an exchange for its messages.
 *
 * @param exchange with all that is said of it
 */
function bindingProblems(
  exchange: ExchangeRef,
  patterns: readonly string[],
  binding: BindingOption | undefined,
): string[] {
  const { name, type = 'topic' } = exchange;
  const which = `the ${type} exchange '${name}'`;
  switch (type) {
    case 'topic':
      return binding ? [`${which} goes by the patterns alone: leave binding out`] : [];
    case 'fanout':
      return binding ? [`${which} gives each queue everything: leave binding out`] : [];
    case 'direct':
      return [
        ...(binding ? [`${which} goes by the keys alone: leave binding out`] : []),
        ...patterns
          .filter(hasWildcard)
          .map(
            (pattern) =>
              `${which} takes '${pattern}' for a key, not for a pattern: name each key, or take a topic exchange`,
          ),
      ];
    case 'headers':
      return headersProblems(which, binding);
    case 'x-consistent-hash':
      return hashProblems(which, binding);
    default:
      return [];
  }
}

const MATCHES = ['all', 'any', 'all-with-x', 'any-with-x'];

function headersProblems(which: string, binding: BindingOption | undefined): string[] {
  const { key, arguments: its } = binding ?? {};
  if (its === undefined)
    return [
      `${which} compares headers, not keys: say which in binding, such as binding: { arguments: { 'x-match': 'all', region: 'eu' } }`,
    ];
  const { 'x-match': match = 'all', ...compared } = its;
  const problems = key === undefined ? [] : [`${which} goes by no key: leave binding.key out`];
  if (!MATCHES.includes(String(match)))
    return [
      ...problems,
      `expected x-match in binding.arguments to be one of ${MATCHES.join(', ')}, got ${show(match)}`,
    ];
  const ignored = String(match).endsWith('-with-x')
    ? []
    : Object.keys(compared).filter((name) => name.startsWith('x-'));
  if (ignored.length > 0)
    problems.push(
      `${which} does not compare ${ignored.join(', ')} with x-match '${match}': say '${match}-with-x', or leave out what begins with x-`,
    );
  else if (String(match).startsWith('any') && Object.keys(compared).length === 0)
    problems.push(
      `${which} gives nothing to a binding with x-match '${match}' and no header: name one at least`,
    );
  return problems;
}

function hashProblems(which: string, binding: BindingOption | undefined): string[] {
  if (!binding) return [];
  const { key, arguments: its } = binding;
  return [
    ...(key === undefined || /^[1-9]\d{0,8}$/.test(key)
      ? []
      : [`expected binding.key, the weight at ${which}, to be a number from 1, got ${show(key)}`]),
    ...(its ? [`${which} goes by no arguments of bindings: leave binding.arguments out`] : []),
  ];
}
