import { TopologyError } from '../../errors.js';
import type { TopologyPlan } from '../../topology/plan.js';

/*
 * What differs between brokers, decided in this one file from what they announce on connecting. Each entry says since
 * when, and what was tried; nothing else in Hopline asks for a version.
 */

/** What one broker can do. */
export interface BrokerFeatures {
  /** As errors name it: `RabbitMQ 3.10.8`. */
  readonly name: string;
  /**
   * How a quorum queue takes message priorities. Before 4.0 it ignores them; 4.0 to 4.2 know two classes (0–4, and 5 and
   * above) and mix them 2:1; 4.3 and later deliver strictly by 0 to 31 (tried on 3.10.8, 4.0.5 and 4.3.6).
   */
  readonly quorumPriorities: 'none' | 'two-classes' | 'strict';
}

/** @param announced the server properties of a connection; strangers and unknown versions get the least */
export function brokerFeatures(announced: Readonly<Record<string, unknown>>): BrokerFeatures {
  const { product, version } = announced;
  const name = [product, version].filter((word) => typeof word === 'string').join(' ');
  const since = atLeast(product === 'RabbitMQ' ? String(version) : '');
  return {
    name: name || 'the broker',
    quorumPriorities: since(4, 3) ? 'strict' : since(4, 0) ? 'two-classes' : 'none',
  };
}

/** Compares the two numbers that features go by; `4.3.0-rc.1` is a 4.3. */
function atLeast(version: string): (major: number, minor: number) => boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return () => false;
  const own = Number(major);
  return (wantedMajor, wantedMinor) =>
    own > wantedMajor || (own === wantedMajor && Number(minor) >= wantedMinor);
}

const PRIORITIES_THERE: Record<BrokerFeatures['quorumPriorities'], string> = {
  none: 'ignores message priorities on quorum queues',
  'two-classes': 'has only two priorities on quorum queues, and mixes them 2:1',
  strict: '',
};

/**
 * Before anything is declared: what the broker would accept and then not do.
 *
 * @throws TopologyError that says what the broker is
 */
export function requireFeatures({ queues }: TopologyPlan, broker: BrokerFeatures): void {
  if (broker.quorumPriorities === 'strict') return;
  const prioritized = queues.find(
    ({ maxPriority, arguments: args }) => maxPriority !== undefined && args['x-queue-type'] === 'quorum',
  );
  if (!prioritized) return;
  const resource = `queue '${prioritized.name}'`;
  throw new TopologyError(
    resource,
    `${resource} wants message priorities up to ${prioritized.maxPriority}, but ${broker.name} ${PRIORITIES_THERE[broker.quorumPriorities]}`,
    "Use lanes instead (docs/lanes.md), say type: 'classic', or take RabbitMQ 4.3 or later.",
  );
}
