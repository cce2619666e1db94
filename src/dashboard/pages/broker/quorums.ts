import type { ManagedQueue } from '../../../oversight/management/managed.js';
import type { QuorumRow, QuorumState } from './model.js';

const ORDER: readonly QuorumState[] = ['lost', 'critical', 'reduced', 'whole'];

/** Quorum queues and their members, those in danger first. */
export function quorumRows(queues: readonly ManagedQueue[]): readonly QuorumRow[] {
  return queues
    .filter(({ type }) => type === 'quorum')
    .map((queue) => ({
      queue: queue.name,
      state: stateOf(queue),
      members: queue.members,
      away: queue.members.filter((member) => !queue.online.includes(member)),
    }))
    .sort((one, other) => rank(one) - rank(other) || (one.queue < other.queue ? -1 : 1));
}

const rank = ({ state }: QuorumRow): number => ORDER.indexOf(state);

function stateOf({ members, online }: ManagedQueue): QuorumState {
  const majority = Math.floor(members.length / 2) + 1;
  if (online.length < majority) return 'lost';
  // A queue with one member is not meant to survive its loss, nor is one with two.
  if (online.length === majority && members.length > 2) return 'critical';
  return online.length < members.length ? 'reduced' : 'whole';
}

export function countsOf(rows: readonly QuorumRow[]): Readonly<Record<QuorumState, number>> {
  const counts = { lost: 0, critical: 0, reduced: 0, whole: 0 };
  for (const { state } of rows) counts[state] += 1;
  return counts;
}
