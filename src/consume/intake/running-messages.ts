import { jobOf } from '../../features/batch/mark.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { UnderWay } from '../attempt/running.js';
import type { FiguresOfHandler } from '../report/figures.js';
import type { RunningStatus } from '../report/messages.js';

export interface RunningParts {
  readonly figures: ReadonlyMap<PlannedHandler, FiguresOfHandler>;
  /** Monotonic milliseconds. */
  readonly now: number;
  readonly most: number;
}

/** What runs, the longest first. */
export function longestRunning(
  underWay: readonly UnderWay[],
  { figures, now, most }: RunningParts,
): RunningStatus[] {
  const longest = underWay.toSorted((left, right) => left.startedAt - right.startedAt).slice(0, most);
  const handlers = new Set(longest.map(({ handler }) => handler));
  const medians = new Map([...handlers].map((handler) => [handler, figures.get(handler)?.medianMs(now)]));
  return longest.map(({ work, handler, startedAt }) => ({
    queue: handler.queue,
    handler: handler.name,
    messageId: work.received.messageId,
    routingKey: work.received.routingKey,
    attempt: work.attempt,
    runningMs: now - startedAt,
    medianMs: medians.get(handler),
    timeoutMs: handler.timeoutMs,
    chainId: work.chain?.id,
    batchId: jobOf(work.received)?.id,
  }));
}
