import type { NodeFacts, Policy } from '../doctor/facts.js';
import type { ManagedBinding, ManagedExchange, ManagedQueue, ManagedQueueInUse } from './managed.js';

/** A JSON object of the management API (https://www.rabbitmq.com/docs/http-api-reference). */
export type Json = Readonly<Record<string, unknown>>;

export function nodeOf(node: Json): NodeFacts {
  const { name, running, mem_alarm, disk_free_alarm, partitions } = node;
  return {
    name: String(name),
    running: running === true,
    memoryAlarm: mem_alarm === true,
    diskAlarm: disk_free_alarm === true,
    partitions: strings(partitions),
    memoryShare: shareOf(node.mem_used, node.mem_limit),
    diskShare: shareOf(node.disk_free_limit, node.disk_free),
  };
}

export function queueOf({
  name,
  type,
  exclusive,
  durable,
  auto_delete: autoDelete,
  arguments: args,
  members,
  online,
  messages,
  messages_ready: ready,
  messages_unacknowledged: unsettled,
}: Json): ManagedQueue {
  return {
    name: String(name),
    type: String(type),
    exclusive: exclusive === true,
    durable: durable === true,
    autoDelete: autoDelete === true,
    arguments: tableIn(args),
    members: strings(members),
    online: strings(online),
    unsettled: Number(unsettled ?? 0),
    ...(typeof ready === 'number' && typeof unsettled === 'number' ? { counts: { ready, unsettled } } : {}),
    departing: departing(messages, ready, unsettled),
  };
}

export const queueInUseOf = (queue: Json): ManagedQueueInUse => ({
  ...queueOf(queue),
  consumers: typeof queue.consumers === 'number' ? queue.consumers : undefined,
  policy: nameIn(queue.policy),
  operatorPolicy: nameIn(queue.operator_policy),
  ofPolicies: tableIn(queue.effective_policy_definition),
});

export const exchangeOf = ({
  name,
  type,
  durable,
  auto_delete,
  internal,
  arguments: its,
}: Json): ManagedExchange => ({
  name: String(name),
  type: String(type),
  durable: durable === true,
  autoDelete: auto_delete === true,
  internal: internal === true,
  arguments: tableIn(its),
});

/** An empty table may come as a list: the API has one word for both. */
const tableIn = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

const nameIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** Undefined for what a node does not tell. */
function shareOf(part: unknown, whole: unknown): number | undefined {
  return typeof part === 'number' && typeof whole === 'number' && whole > 0 ? part / whole : undefined;
}

/** A queue that is some seconds old, or whose node is away, has no counts. */
function departing(messages: unknown, ready: unknown, unsettled: unknown): number | undefined {
  const counts = [messages, ready, unsettled];
  const [all = 0, ...held] = counts.map(Number);
  return counts.every((each) => typeof each === 'number')
    ? held.reduce((left, each) => left - each, all)
    : undefined;
}

export function bindingOf({
  source,
  destination,
  destination_type,
  routing_key,
  arguments: its,
  properties_key,
}: Json): ManagedBinding {
  return {
    source: String(source),
    destination: String(destination),
    destinationType: destination_type === 'queue' ? 'queue' : 'exchange',
    pattern: String(routing_key),
    ...(Object.keys(tableIn(its)).length > 0 && { arguments: tableIn(its) }),
    propertiesKey: String(properties_key),
  };
}

export function policyOf(
  { name, pattern, 'apply-to': appliesTo, definition }: Json,
  kind: Policy['kind'],
): Policy {
  return {
    name: String(name),
    kind,
    pattern: String(pattern),
    appliesTo: String(appliesTo),
    definition: (definition ?? {}) as Policy['definition'],
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
