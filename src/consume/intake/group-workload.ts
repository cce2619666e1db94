import type { OperatorSession } from '../../transport/operator-session.js';
import { type EndedAttempts, type Workload, workloadOf } from '../report/workload.js';
import type { Gate } from './gate.js';
import type { LaneConsumer } from './lane-consumer.js';
import type { Pause } from './pause.js';

export interface GroupWorkloadParts extends EndedAttempts {
  readonly session: Pick<OperatorSession, 'inspect'>;
  readonly gate: Pick<Gate, 'running' | 'waitingCount'>;
  readonly pause: Pick<Pause, 'reasonsOf'>;
  readonly lanes: readonly Pick<LaneConsumer, 'queue'>[];
  readonly queues: readonly string[];
  readonly slots: number;
  /** Called with the error for each queue that the broker says nothing of. */
  onUnknown(error: unknown): void;
}

/** Workload of a slot group; what its queues have is asked of the broker. */
export async function groupWorkload(parts: GroupWorkloadParts): Promise<Workload> {
  const { session, gate, pause, lanes, queues, attempts, busyMs, onUnknown } = parts;
  const consumed = lanes.filter((_lane, index) => !pause.reasonsOf(index).includes('operator'));
  const asked = consumed.map(async ({ queue }) => {
    const state = await session.inspect(queue).catch(onUnknown);
    return { queue, ready: state?.ready, consumers: state?.consumers };
  });
  const slots = consumed.length === 0 ? 0 : parts.slots;
  const { running, waitingCount: waiting } = gate;
  return workloadOf(await Promise.all(asked), { queues, slots, running, waiting, attempts, busyMs });
}
