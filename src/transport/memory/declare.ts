import { TopologyError } from '../../errors.js';
import type { ArgumentValue } from '../../message/exchange-option.js';
import type { TopologyMode } from '../../topology/bus-topology.js';
import { cureOfOtherArguments } from '../../topology/fixed-arguments.js';
import {
  type BindingPlan,
  type BrokerTopology,
  type ConsumersPart,
  type ExchangePlan,
  goesWithConsumer,
  lastingPart,
  type QueuePlan,
  type TopologyPlan,
} from '../../topology/plan.js';
import type { Broker } from './broker.js';
import { alternateOf, Exchange } from './exchanges/exchange.js';
import { Queue } from './queue.js';

/** @throws TopologyError in RabbitMQ's words */
export function declareTopology(broker: Broker, given: BrokerTopology, mode: TopologyMode): void {
  if (mode === 'none') return;
  const { delays } = given;
  const own = lastingPart(given.own);
  if (mode === 'verify') {
    for (const { name } of own.exchanges) existing(broker.exchanges, 'exchange', name);
    for (const { name } of own.queues) existing(broker.queues, 'queue', name);
    if (delays) existing(broker.exchanges, 'exchange', delays.marker.name);
    return;
  }
  if (delays && !broker.exchanges.has(delays.marker.name)) {
    declarePlan(broker, delays);
    declareExchange(broker, delays.marker);
  }
  declarePlan(broker, own);
  broker.topologyChanged();
}

/** Declares a queue that goes with its consumers, for one of them. @throws TopologyError */
export function declareForConsumer(broker: Broker, { queue, bindings }: ConsumersPart): Queue {
  declareQueue(broker, queue);
  for (const binding of bindings) bind(broker, binding);
  return existing(broker.queues, 'queue', queue.name);
}

function declarePlan(broker: Broker, { exchanges, queues, bindings }: TopologyPlan): void {
  for (const exchange of exchanges) declareExchange(broker, exchange);
  for (const queue of queues) declareQueue(broker, queue);
  for (const binding of bindings) bind(broker, binding);
}

function declareExchange({ exchanges }: Broker, plan: ExchangePlan): void {
  if (plan.verifyOnly) {
    existing(exchanges, 'exchange', plan.name);
    return;
  }
  const current = exchanges.get(plan.name)?.plan;
  if (current) {
    requireSame('exchange', plan.name, comparedOf(plan), comparedOf(current));
    return;
  }
  const made = Exchange.of(plan);
  if (!made) throw unknownType(plan.name, plan.type);
  exchanges.set(plan.name, made);
}

/** What the broker compares; other arguments of an exchange that exists it ignores. */
function comparedOf(plan: ExchangePlan): Arguments {
  return { type: plan.type, 'alternate-exchange': alternateOf(plan) };
}

const unknownType = (name: string, type: string) =>
  new TopologyError(
    `exchange '${name}'`,
    `unknown exchange type '${type}': the memory transport has topic, direct, fanout, headers and x-consistent-hash`,
    `Test what goes through '${name}' on a RabbitMQ that has the plugin, or give the exchange another type in tests.`,
  );

/** Arguments that the other queue type refuses; 3.10 refuses the first three. */
const REFUSED = {
  classic: ['x-delivery-limit', 'x-dead-letter-strategy', 'x-queue-leader-locator'],
  quorum: ['x-max-priority'],
} as const;

/** Arguments that would change what happens to messages, and that this broker doesn't act on. */
const NOT_SIMULATED = [
  ...['x-max-length-bytes', 'x-consumer-timeout'],
  ...['x-delayed-retry-type', 'x-delayed-retry-min', 'x-delayed-retry-max'],
];

const isLeftToExpire = (plan: QueuePlan): boolean =>
  !goesWithConsumer(plan) && plan.arguments['x-expires'] !== undefined;

const notSimulated = (name: string, argument: string) =>
  new TopologyError(
    `queue '${name}'`,
    `queue '${name}' has the argument '${argument}', which the memory transport can't do`,
    'Leave it out where memory() is used, or test with RabbitMQ.',
  );

function declareQueue(broker: Broker, plan: QueuePlan): void {
  const { name, arguments: args, verifyOnly } = plan;
  if (verifyOnly) {
    if (!broker.queues.has(name)) throw missingForeign(name);
    return;
  }
  const current = broker.queues.get(name);
  if (current) {
    requireSame('queue', name, { ...args }, { ...current.plan.arguments });
    current.declaredAgain(plan);
    return;
  }
  const { 'x-queue-type': type = 'classic' } = args;
  const odd = REFUSED[type].find((argument) => args[argument] !== undefined);
  if (odd) {
    throw refused(
      'queue',
      name,
      `invalid arg '${odd}' for queue '${name}' in vhost '/' of queue type rabbit_${type}_queue`,
    );
  }
  const unlike = NOT_SIMULATED.find((argument) => args[argument] !== undefined);
  if (unlike || args['x-overflow'] === 'reject-publish-dlx' || isLeftToExpire(plan))
    throw notSimulated(name, unlike ?? (isLeftToExpire(plan) ? 'x-expires' : 'x-overflow'));
  broker.queues.set(name, new Queue(plan, broker));
}

const missingForeign = (name: string) =>
  new TopologyError(
    `queue '${name}'`,
    `NOT_FOUND - no queue '${name}' in vhost '/'`,
    `It belongs to someone else (declare: false), so Hopline doesn't make it: let its owner make it first, or leave declare: false out.`,
  );

function bind({ exchanges, queues }: Broker, plan: BindingPlan): void {
  const source = existing(exchanges, 'exchange', plan.source);
  const destination =
    plan.destinationType === 'exchange'
      ? existing(exchanges, 'exchange', plan.destination)
      : existing(queues, 'queue', plan.destination);
  source.bind(plan, destination);
}

type Resource = 'exchange' | 'queue';
type Arguments = Readonly<Record<string, ArgumentValue | undefined>>;

/** No argument can be changed, missing ones included. */
function requireSame(resource: Resource, name: string, wanted: Arguments, current: Arguments): void {
  const shown = (value: ArgumentValue | undefined) => (value === undefined ? 'none' : `'${value}'`);
  for (const argument of Object.keys({ ...current, ...wanted })) {
    if (wanted[argument] === current[argument]) continue;
    throw refused(
      resource,
      name,
      `inequivalent arg '${argument}' for ${resource} '${name}' in vhost '/': ` +
        `received ${shown(wanted[argument])} but current is ${shown(current[argument])}`,
    );
  }
}

function refused(resource: Resource, name: string, reply: string): TopologyError {
  return new TopologyError(
    `${resource} '${name}'`,
    `PRECONDITION_FAILED - ${reply}`,
    `${cureOfOtherArguments(reply)}What a ${resource} was declared with can't be changed: use another name, or delete it once it is unused.`,
  );
}

export function existing<T>(all: ReadonlyMap<string, T>, resource: Resource, name: string): T {
  const found = all.get(name);
  if (found) return found;
  throw new TopologyError(
    `${resource} '${name}'`,
    `NOT_FOUND - no ${resource} '${name}' in vhost '/'`,
    "Let the service that owns it start first, or declare it yourself with topology: 'declare'.",
  );
}
