import type { Seen, SeenQueue } from '../../site/seen.js';
import type { QueueRow, QueueSort } from './model.js';

export const rowOf = (queue: SeenQueue): QueueRow => ({ ...queue, isLane: queue.of !== queue.queue });

/** Queues whose name, or that of the queue they are a lane of, has the text. */
export function matching(queues: readonly SeenQueue[], text: string): SeenQueue[] {
  const wanted = text.toLowerCase();
  return queues.filter(({ queue, of }) => `${queue}\n${of}`.toLowerCase().includes(wanted));
}

/** By name, lanes stand with their queue; by a figure, the largest first. */
export function sorted(queues: readonly SeenQueue[], sort: QueueSort): SeenQueue[] {
  const byName = (left: SeenQueue, right: SeenQueue) =>
    compare(left.of, right.of) ||
    Number(left.queue !== left.of) - Number(right.queue !== right.of) ||
    compare(left.queue, right.queue);
  const figure = FIGURES[sort];
  return queues.toSorted((left, right) => (figure ? figure(right) - figure(left) : 0) || byName(left, right));
}

const FIGURES: Readonly<Record<QueueSort, ((queue: SeenQueue) => number) | undefined>> = {
  name: undefined,
  length: ({ length = -1 }) => length,
  oldest: ({ oldestMs = -1 }) => oldestMs,
  'dead letters': ({ deadLetters = -1 }) => deadLetters,
};

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Sum of what is known; undefined if nothing is. */
export function knownSum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** Names under which the queue is paused: its own, that of its queue, or those of its lanes. */
export function pausedNames(
  { paused = [], queues }: Pick<Seen, 'paused' | 'queues'>,
  { queue, of }: SeenQueue,
): string[] {
  const lanes = queues.filter((each) => each.of === queue).map((each) => each.queue);
  return paused.filter((name) => name === queue || name === of || lanes.includes(name));
}
