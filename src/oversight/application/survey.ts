import type { Looked } from '../../control/results.js';
import type { QueueFacts, Snapshot } from '../../observe/alerts/measuring/snapshot.js';
import type { ManagedState } from './managed-state.js';

/** All that one look at an application has found. */
export interface Survey {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly processes: Looked['processes'];
  readonly paused: Looked['paused'];
  /** Why the workers could not be asked, as a sentence; undefined if they were, or none has ever listened. */
  readonly unasked: string | undefined;
  readonly queues: readonly QueueFacts[];
  /** Messages in each level of the delays, by its queue; undefined for one that is not known. Empty where nobody asked for them. */
  readonly delays: ReadonlyMap<string, number | undefined>;
  /** True while the broker takes no messages. */
  readonly blocked: boolean;
  /** Messages that no queue took when their delay was over. */
  readonly lost: number | undefined;
  /** Undefined without a management API, or if it does not answer. */
  readonly managed: ManagedState | undefined;
  /** What was asked and has not answered, as sentences. */
  readonly silent: readonly string[];
}

/** What alerts are judged by. */
export function snapshotOf(survey: Survey): Snapshot {
  const { at, processes, queues, blocked, lost, managed, silent } = survey;
  return {
    at,
    reached: true,
    queues,
    processes: processes.map(({ service, host, pid, ...status }) => ({
      id: `${service} ${host} ${pid}`,
      ...status,
    })),
    broker: { blocked, lost, nearAlarm: managed?.nearAlarm, critical: managed?.critical },
    delays: managed?.delays ?? [],
    silent,
  };
}
