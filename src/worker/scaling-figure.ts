import { type Load, type LoadOfSet, workMs } from './load.js';

/** What an autoscaler is told: from it follows how many processes there should be, here and elsewhere. */
export interface ScalingFigure {
  /** Absent if the application has buses of several services. */
  readonly service?: string;
  /** Messages that no handler has begun: in the queues, whoever else consumes them, and in these processes. */
  readonly backlog: number;
  /** How long an attempt took lately; null before the first one has ended. */
  readonly averageMs: number | null;
  /** Messages that one process handles at once. */
  readonly places: number;
  /** How many processes run here. */
  readonly processes: number;
  /**
   * How long one process would take to handle the backlog: the most that one of the sets takes. Divided by the time in which
   * it is to be handled, it is the number of processes that this takes.
   */
  readonly workSeconds: number;
  /** Each set of places by itself: of a queue, or of several that share one. */
  readonly sets: readonly ScalingFigureOfSet[];
}

export interface ScalingFigureOfSet
  extends Pick<ScalingFigure, 'backlog' | 'averageMs' | 'places' | 'workSeconds'> {
  readonly queues: readonly string[];
  /** `backlog × averageMs / places / 1000`. Before the first attempt has ended, each counts as {@link ASSUMED_MS}. */
  readonly workSeconds: number;
}

/**
 * An autoscaler needs a number before there is an average. It is wrong for not longer than an attempt takes: handlers that are
 * quicker are soon known to be, and those that are slower ask for too few processes, not too many.
 */
export const ASSUMED_MS = 1_000;

export function scalingFigure(load: Load, processes: number): ScalingFigure {
  const { backlog, averageMs, places, service } = load;
  const sets = load.sets.map(figureOf);
  return {
    ...(service !== undefined && { service }),
    backlog,
    averageMs: averageMs ?? null,
    places,
    processes,
    // An application that only publishes has no set.
    workSeconds: Math.max(0, ...sets.map(({ workSeconds }) => workSeconds)),
    sets,
  };
}

function figureOf(set: LoadOfSet): ScalingFigureOfSet {
  const { queues, backlog, averageMs, places } = set;
  const workSeconds = workMs(set, averageMs ?? ASSUMED_MS) / 1_000;
  return { queues, backlog, averageMs: averageMs ?? null, places, workSeconds };
}
