import type { SeenQueue } from '../seen.js';

/** What is known of a queue with all its lanes at one look. */
export interface QueueMoment {
  /** Messages in the queue, and those that processes have fetched and not ended; undefined if that is not known. */
  readonly held: number | undefined;
  /** Messages that wait in the queue. */
  readonly length: number | undefined;
  /** Attempts per second that have ended in all processes that consume it; undefined if some tell nothing. */
  readonly ended: number | undefined;
}

export type QueueRates = Pick<SeenQueue, 'inRate' | 'outRate' | 'clearMs'>;

interface Point extends QueueMoment {
  readonly at: number;
}

const UNKNOWN: QueueRates = { inRate: undefined, outRate: undefined, clearMs: undefined };

/** Time over which rates are taken: a broker's counts of a queue may be some seconds old. */
const OVER_MS = 20_000;

/** Rates of queues, by how their lengths change and what their handlers have ended. */
export class QueuesRates {
  private points = new Map<string, readonly Point[]>();

  /** @param at monotonic milliseconds */
  take(queues: ReadonlyMap<string, QueueMoment>, at: number): ReadonlyMap<string, QueueRates> {
    const points = new Map<string, readonly Point[]>();
    for (const [queue, moment] of queues) {
      const before = (this.points.get(queue) ?? []).filter((point) => at - point.at <= OVER_MS);
      points.set(queue, [...before, { ...moment, at }]);
    }
    // Those that have gone are forgotten.
    this.points = points;
    return new Map([...points].map(([queue, all]) => [queue, ratesOf(all)]));
  }
}

function ratesOf(points: readonly Point[]): QueueRates {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || first === last) return UNKNOWN;
  const seconds = (last.at - first.at) / 1_000;
  const outRate = meanOf(points.slice(1));
  const grows = change(first.held, last.held, seconds);
  const waits = change(first.length, last.length, seconds);
  return {
    // What came in is what went out, and what is there now that was not.
    inRate: outRate === undefined || grows === undefined ? undefined : Math.max(0, outRate + grows),
    outRate,
    clearMs: clearMs(last.length, waits),
  };
}

const change = (from: number | undefined, to: number | undefined, seconds: number): number | undefined =>
  from === undefined || to === undefined ? undefined : (to - from) / seconds;

function clearMs(length: number | undefined, grows: number | undefined): number | undefined {
  if (length === 0) return 0;
  return length === undefined || grows === undefined || grows >= 0 ? undefined : (length / -grows) * 1_000;
}

/** Mean of what ended per second. Undefined if one is not known. */
function meanOf(points: readonly Point[]): number | undefined {
  let sum = 0;
  for (const { ended } of points) {
    if (ended === undefined) return undefined;
    sum += ended;
  }
  return sum / points.length;
}
