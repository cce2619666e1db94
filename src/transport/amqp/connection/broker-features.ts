import { TopologyError } from '../../../errors.js';
import { atLeast } from '../../../topology/broker-version.js';
import type { BindingPlan, QueuePlan, TopologyPlan } from '../../../topology/plan.js';
import { type Unheeded, unheededArguments } from '../../../topology/queue-arguments.js';
import type { BrokerInfo } from '../../transport.js';

/*
 * The differences between brokers, decided in this file from what they announce on connecting. Each entry says
 * since which version, and what was tried; no other file compares versions.
 */

/** Features of one broker. */
export interface BrokerFeatures {
  /** Name for errors, such as `RabbitMQ 3.10.8`. */
  readonly name: string;
  /**
   * Priorities in quorum queues. Before 4.0 they are ignored; 4.0 to 4.2 have two classes (0–4, and 5 and
   * above), mixed 2:1; 4.3 and later deliver strictly by 0 to 31 (tried on 3.10.8, 4.0.5 and 4.3.6).
   */
  readonly quorumPriorities: 'none' | 'two-classes' | 'strict';
  /**
   * True if a quorum queue counts `basic.nack` with requeue towards its delivery limit. Before 4.3 it does;
   * since then only `basic.reject`, a lost channel and a lost connection count (tried on 3.10.8, 4.0.5 and
   * 4.3.6). Where nacks count, unhandled messages are returned as copies.
   */
  readonly countsNacks: boolean;
  /**
   * Who can change how long a consumer may keep a message. Since 4.3 the consumer, by `x-consumer-timeout`,
   * which takes precedence over all else; since 3.12 a policy, by `consumer-timeout`; before that the
   * configuration alone (tried on 4.0.5 and 4.3.6; 3.10.8 ignores both; for 3.12 see
   * https://www.rabbitmq.com/docs/consumers#per-queue-delivery-timeouts-using-a-policy).
   */
  readonly consumerTimeoutBy: 'consumer' | 'policy' | 'configuration';
  /**
   * True if a classic queue that isn't durable is gone with its node, so that it can be declared on another node at once; a durable one
   * waits for its node. Since 4.3 both wait, and such queues are deprecated (tried in clusters of 3.10.8 and 4.3.6).
   */
  readonly forgetsTransient: boolean;
  /** Maximum `#` in a binding's pattern: two since 4.3, which answers more with a 406 (tried on 4.3.6). */
  readonly maxHashes: number;
}

/** @param announced server properties of a connection; other products and unknown versions get the smallest set */
export function brokerFeatures(announced: Readonly<Record<string, unknown>>): BrokerFeatures {
  const { product, version } = announced;
  const name = [product, version].filter((word) => typeof word === 'string').join(' ');
  const since = atLeast(product === 'RabbitMQ' ? String(version) : '');
  return {
    name: name || 'the broker',
    quorumPriorities: since([4, 3]) ? 'strict' : since([4, 0]) ? 'two-classes' : 'none',
    countsNacks: !since([4, 3]),
    consumerTimeoutBy: since([4, 3]) ? 'consumer' : since([3, 12]) ? 'policy' : 'configuration',
    forgetsTransient: !since([4, 3]),
    maxHashes: since([4, 3]) ? 2 : Number.POSITIVE_INFINITY,
  };
}

/** The same as the port tells it. */
export function brokerInfoOf(announced: Readonly<Record<string, unknown>>): BrokerInfo {
  const { product, version, cluster_name: cluster } = announced;
  const { consumerTimeoutBy, countsNacks } = brokerFeatures(announced);
  return {
    product: String(product),
    version: String(version),
    cluster: typeof cluster === 'string' ? cluster : undefined,
    consumerTimeoutBy,
    peekIsFree: !countsNacks,
  };
}

/** The arguments of these queues that the broker ignores; none are known of other products. */
export function ignoredArguments(
  queues: readonly QueuePlan[],
  { product, version }: Readonly<Record<string, unknown>>,
): (Unheeded & { readonly queue: string })[] {
  if (product !== 'RabbitMQ') return [];
  const since = atLeast(String(version));
  return queues
    .filter(({ verifyOnly }) => !verifyOnly)
    .flatMap(({ name: queue, arguments: its }) =>
      unheededArguments(its, since).map((each) => ({ queue, ...each })),
    );
}

const PRIORITIES_THERE: Record<BrokerFeatures['quorumPriorities'], string> = {
  none: 'ignores message priorities on quorum queues',
  'two-classes': 'has only two priorities on quorum queues, and mixes them 2:1',
  strict: '',
};

/**
 * Checks a plan before it is declared, for what the broker would refuse without advice, or accept and then not
 * do.
 *
 * @throws TopologyError naming the broker's version
 */
export function requireFeatures({ queues, bindings }: TopologyPlan, broker: BrokerFeatures): void {
  requirePriorities(queues, broker);
  requireFewHashes(bindings, broker);
}

function requirePriorities(queues: readonly QueuePlan[], broker: BrokerFeatures): void {
  if (broker.quorumPriorities === 'strict') return;
  const prioritized = queues.find(
    ({ maxPriority, arguments: args }) => maxPriority !== undefined && args['x-queue-type'] === 'quorum',
  );
  if (!prioritized) return;
  const resource = `queue '${prioritized.name}'`;
  throw new TopologyError(
    resource,
    `${resource} needs message priorities up to ${prioritized.maxPriority}, but ${broker.name} ${PRIORITIES_THERE[broker.quorumPriorities]}`,
    "Use lanes instead (docs/lanes.md), set type: 'classic', or use RabbitMQ 4.3 or later.",
  );
}

function requireFewHashes(bindings: readonly BindingPlan[], { name, maxHashes }: BrokerFeatures): void {
  const hashes = (pattern: string) => pattern.split('.').filter((word) => word === '#').length;
  const binding = bindings.find(({ pattern }) => hashes(pattern) > maxHashes);
  if (!binding) return;
  const { pattern, source, destination, destinationType } = binding;
  const resource = `the binding of exchange '${source}' to ${destinationType} '${destination}'`;
  throw new TopologyError(
    resource,
    `${resource} has the pattern '${pattern}' with ${hashes(pattern)} '#', but ${name} allows ${maxHashes}`,
    "Use fewer '#' ('#.#' is the same as '#'), or bind several narrower patterns.",
  );
}
