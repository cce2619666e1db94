import { type GroupLoad, type Load, workMs } from './load.js';

/** Figures for an autoscaler, from which the number of processes follows, here and elsewhere. */
export interface ScalingFigure {
  /** Missing if the application has buses of several services. */
  readonly service?: string;
  /** Messages that no handler has begun: in the queues, whichever processes consume them, and in these processes. */
  readonly backlog: number;
  /** Average run time of recent attempts, in milliseconds; null before the first one has ended. */
  readonly averageMs: number | null;
  /** Messages that one process handles at once. */
  readonly slots: number;
  /** Number of processes that run here. */
  readonly processes: number;
  /**
   * Time that one process would take for the backlog: the maximum over all slot groups. Divided by the time in
   * which the backlog is to be handled, it gives the number of processes.
   */
  readonly workSeconds: number;
  /** Figures of each slot group: of one queue, or of several that share their slots. */
  readonly slotGroups: readonly ScalingFigureOfGroup[];
}

export interface ScalingFigureOfGroup
  extends Pick<ScalingFigure, 'backlog' | 'averageMs' | 'slots' | 'workSeconds'> {
  readonly queues: readonly string[];
  /** `backlog × averageMs / slots / 1000`. Before the first attempt has ended, each counts as {@link ASSUMED_MS}. */
  readonly workSeconds: number;
}

/**
 * Assumed run time, since an autoscaler needs a number before there is an average. It is wrong for no longer
 * than one attempt: faster handlers soon correct it, and slower ones ask for too few processes, not too many.
 */
export const ASSUMED_MS = 1_000;

export function scalingFigure(load: Load, processes: number): ScalingFigure {
  const { backlog, averageMs, slots, service } = load;
  const slotGroups = load.slotGroups.map(figureOf);
  return {
    ...(service !== undefined && { service }),
    backlog,
    averageMs: averageMs ?? null,
    slots,
    processes,
    // An application that only publishes has no slot group.
    workSeconds: Math.max(0, ...slotGroups.map(({ workSeconds }) => workSeconds)),
    slotGroups,
  };
}

function figureOf(group: GroupLoad): ScalingFigureOfGroup {
  const { queues, backlog, averageMs, slots } = group;
  const workSeconds = workMs(group, averageMs ?? ASSUMED_MS) / 1_000;
  return { queues, backlog, averageMs: averageMs ?? null, slots, workSeconds };
}
