import type { Measure, Reading } from './measure.js';
import type { Measuring } from './measuring.js';
import type { Snapshot } from './snapshot.js';

/** Reads one value, of the broker or of a store. */
const one =
  (subject: string, read: (snapshot: Snapshot, measuring: Measuring) => number | undefined) =>
  (measuring: Measuring): readonly Reading[] | undefined => {
    const { snapshot } = measuring;
    return snapshot?.reached ? [{ subject, value: read(snapshot, measuring) }] : undefined;
  };

const SHOWN = 3;

function critical({ snapshot }: Measuring): readonly Reading[] | undefined {
  if (!snapshot?.reached) return undefined;
  const { critical: queues } = snapshot.broker;
  const more = queues && queues.length > SHOWN ? ` and ${queues.length - SHOWN} more` : '';
  return [
    { subject: 'broker', value: queues?.length, note: queues && queues.slice(0, SHOWN).join(', ') + more },
  ];
}

function delays(measuring: Measuring): readonly Reading[] | undefined {
  const { snapshot } = measuring;
  if (!snapshot?.reached) return undefined;
  return snapshot.delays.map(({ queue }) => ({ subject: queue, value: measuring.heldMs('delay', queue) }));
}

export const brokerMeasures = {
  unreachable: {
    unit: 'duration',
    byQueue: false,
    byDefault: 'unreachable > 1m critical',
    read: (measuring) => [{ subject: 'broker', value: measuring.heldMs('unreached') }],
    says: (value) => `the broker has not answered for ${value}`,
    help: 'Look whether it runs, and at the network and the credentials: hopline doctor.',
  },
  blocked: {
    unit: 'duration',
    byQueue: false,
    byDefault: 'blocked > 10s critical',
    read: one('broker', (_snapshot, measuring) => measuring.heldMs('blocked')),
    says: (value) => `the broker has taken no messages for ${value}`,
    help: 'Free memory or disk on the node that has the alarm, or let consumers catch up: hopline doctor names it.',
  },
  near_alarm: {
    unit: 'share',
    byQueue: false,
    byDefault: 'near_alarm > 85% warning, > 95% critical',
    read: one('broker', ({ broker }) => broker.nearAlarm),
    says: (value) => `a node has used ${value} of the memory or disk at which it takes no more messages`,
    help: 'Let consumers catch up, or give the node more of it, before it takes no more messages.',
  },
  quorum_critical: {
    unit: 'count',
    byQueue: false,
    byDefault: 'quorum_critical > 0 critical',
    for: '30s',
    read: critical,
    says: (value) => `${value} quorum queues stand still when one more node is lost`,
    help: 'Bring the nodes back that are away, and restart no other meanwhile.',
  },
  overdue_delay: {
    unit: 'duration',
    byQueue: false,
    byDefault: 'overdue_delay > 5m critical',
    read: delays,
    says: (value, level) => `messages that are due have stayed in '${level}' for ${value}`,
    help: 'A queue that they go to is full or has no leader, or a node has died: hopline doctor.',
  },
  lost_delayed: {
    unit: 'count',
    byQueue: false,
    byDefault: 'lost_delayed > 0 warning',
    read: one('broker', ({ broker }) => broker.lost),
    says: (value) => `${value} delayed messages were taken by no queue when they were due`,
    help: 'hopline failed --queue hopline.delay.lost shows them; retry replays them.',
  },
  outbox_lag: {
    unit: 'duration',
    byQueue: false,
    byDefault: 'outbox_lag > 1m warning, > 10m critical',
    read: one('outbox', ({ outboxLagMs }) => outboxLagMs),
    says: (value) => `the oldest message of the outbox has waited for ${value}`,
    help: 'Look whether a relay runs: hopline outbox status.',
  },
  overdue_batches: {
    unit: 'count',
    byQueue: false,
    byDefault: 'overdue_batches > 0 warning',
    for: '2m',
    read: one('batches', (snapshot) => snapshot.overdueBatches),
    says: (value) => `the notifications of ${value} batches are overdue`,
    help: 'Look whether a process of the service that dispatched them runs, and may publish.',
  },
} as const satisfies Record<string, Measure>;
