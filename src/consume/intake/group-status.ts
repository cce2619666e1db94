import type { Clock } from '../../util/clock.js';
import type { UnderWay } from '../attempt/running.js';
import type { ServedLane } from '../handlers/serving.js';
import { oldestMs } from '../report/age.js';
import type { SlotGroupStatus } from '../report/status.js';
import type { Gate } from './gate.js';
import type { LaneConsumer } from './lane-consumer.js';
import type { Pause } from './pause.js';

export interface GroupStatusParts {
  readonly gate: Pick<Gate, 'running' | 'waitingCount' | 'waitingIn' | 'parkedIn'>;
  readonly pause: Pick<Pause, 'has' | 'reasonsOf'>;
  readonly lanes: readonly ServedLane[];
  /** In the order of the lanes. */
  readonly consumers: readonly Pick<LaneConsumer, 'suspects'>[];
  readonly slots: number;
  readonly underWay: readonly UnderWay[];
  readonly clock: Clock;
}

/** Status of a slot group's slots and lanes. */
export function groupStatus(parts: GroupStatusParts): Omit<SlotGroupStatus, 'queues' | 'busyMs'> {
  const { gate, pause, lanes, consumers, slots } = parts;
  return {
    lanes: lanes.map(({ queue, subscription }, index) => ({
      queue,
      of: subscription.queue,
      ...(subscription.kind === 'process' ? { each: 'process' as const } : {}),
      paused: pause.reasonsOf(index),
      oldestMs: oldestIn(index, parts),
      suspects: consumers[index]?.suspects ?? 0,
    })),
    slots,
    running: gate.running,
    waiting: gate.waitingCount,
    held: pause.has('unpublishable'),
  };
}

function oldestIn(
  lane: number,
  { gate, pause, slots, underWay, clock }: GroupStatusParts,
): number | undefined {
  if (pause.reasonsOf(lane).length > 0) return undefined;
  const here = [...gate.parkedIn(lane), ...gate.waitingIn(lane)];
  if (here.length > 0) return oldestMs(here, clock);
  if (gate.running < slots) return 0;
  // What is still in the queue was published after what has begun last.
  const begun = underWay.map(({ work }) => work).filter((work) => work.lane === lane);
  return oldestMs(begun.reverse(), clock);
}
