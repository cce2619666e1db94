import type { Measure, Reading, Window } from './measure.js';
import type { Measuring } from './measuring.js';
import type { QueueFacts } from './snapshot.js';

/** Shortest time over which growth says something, where the window is not shorter. */
const LEAST_MS = 60_000;

/** Reads a value of each queue. */
const each =
  (read: (queue: QueueFacts, measuring: Measuring, window: Window) => number | undefined) =>
  (measuring: Measuring, window: Window): readonly Reading[] | undefined => {
    const { snapshot } = measuring;
    if (!snapshot?.reached) return undefined;
    return snapshot.queues.map((facts) => {
      const { queue } = facts;
      return { subject: queue, queue, value: read(facts, measuring, window) };
    });
  };

/** Reads a value of each queue with all its lanes: their handlers' figures are of the whole. */
const eachWhole =
  (
    read: (
      of: string,
      lanes: readonly QueueFacts[],
      measuring: Measuring,
      window: Window,
    ) => number | undefined,
  ) =>
  (measuring: Measuring, window: Window): readonly Reading[] | undefined => {
    if (!measuring.snapshot?.reached) return undefined;
    return [...measuring.queues].map(([of, lanes]) => ({
      subject: of,
      queue: of,
      value: read(of, lanes, measuring, window),
    }));
  };

/** Messages of a queue that have ended within the window, retries not counted; undefined if no process has told of it. */
function handled(queue: string, measuring: Measuring, { withinMs }: Window) {
  const handlers = measuring.handlersOf(queue);
  const changes = handlers.flatMap(({ handler }) => {
    const attempts = measuring.change(withinMs, 'attempts', queue, handler);
    const retries = measuring.change(withinMs, 'retries', queue, handler);
    return attempts ? [{ by: attempts.by - (retries?.by ?? 0), overMs: attempts.overMs }] : [];
  });
  if (changes.length === 0) return undefined;
  return changes.reduce((sum, { by, overMs }) => sum + by / overMs, 0);
}

function timeToClear(of: string, lanes: readonly QueueFacts[], measuring: Measuring, window: Window) {
  let [length, growth] = [0, 0];
  for (const lane of lanes) {
    const change = measuring.change(window.withinMs, 'length', lane.queue);
    if (lane.length === undefined || !change || change.overMs < Math.min(window.withinMs, LEAST_MS))
      return undefined;
    length += lane.length;
    growth += change.by;
  }
  if (growth <= 0 || length === 0) return 0;
  if (lanes.some(({ others }) => others)) return undefined;
  const perMs = handled(of, measuring, window);
  if (perMs === undefined) return undefined;
  return perMs <= 0 ? Number.POSITIVE_INFINITY : length / perMs;
}

function waitP95(of: string, lanes: readonly QueueFacts[], measuring: Measuring) {
  // Where nothing has begun and nothing waits, nobody has waited.
  return measuring.waitP95(of) ?? (lanes.every(({ length }) => length === 0) ? 0 : undefined);
}

function newDeadLetters(
  of: string,
  lanes: readonly QueueFacts[],
  measuring: Measuring,
  { withinMs }: Window,
) {
  const handlers = measuring.handlersOf(of);
  if (lanes.every(({ deadLetters }) => deadLetters === undefined) && handlers.length === 0) return undefined;
  const told = handlers.reduce(
    (sum, { handler }) => sum + (measuring.change(withinMs, 'deadLettered', of, handler)?.by ?? 0),
    0,
  );
  // The broker makes some of its own; and an operator may take some away while others come.
  return Math.max(told, measuring.change(withinMs, 'dead', of)?.by ?? 0);
}

export const queueMeasures = {
  queue_length: {
    unit: 'count',
    byQueue: true,
    byDefault: 'queue_length > 1000 warning, > 10000 critical',
    for: '1m',
    read: each(({ length }) => length),
    says: (value, queue) => `${value} messages wait in queue '${queue}'`,
    help: 'hopline status shows who works on it; more processes or a higher concurrency clear it sooner.',
  },
  oldest: {
    unit: 'duration',
    byQueue: true,
    byDefault: 'oldest > 5m warning, > 1h critical',
    read: each(({ oldestMs }) => oldestMs),
    says: (value, queue) => `the oldest message of queue '${queue}' has waited for ${value}`,
    help: 'Look whether its handlers run, fail, or are too slow: hopline status.',
  },
  no_consumers: {
    unit: 'duration',
    byQueue: true,
    byDefault: 'no_consumers > 1m critical',
    read: each(({ queue }, measuring) => measuring.heldMs('alone', queue)),
    says: (value, queue) => `messages wait in queue '${queue}', and nobody has consumed it for ${value}`,
    help: 'Start a worker of its service, and look at its log if one runs.',
  },
  wait_p95: {
    unit: 'duration',
    byQueue: true,
    for: '1m',
    read: eachWhole(waitP95),
    says: (value, queue) => `one message in twenty of queue '${queue}' waits for longer than ${value}`,
    help: 'More processes or a higher concurrency shorten it: hopline status shows the slots.',
  },
  time_to_clear: {
    unit: 'duration',
    byQueue: true,
    byDefault: 'time_to_clear > 15m warning',
    for: '5m',
    within: '5m',
    read: eachWhole(timeToClear),
    says: (value, queue) => `queue '${queue}' grows; what waits takes ${value} to handle`,
    help: 'More comes than is handled: add processes, or find what has become slow.',
  },
  dead_letters: {
    unit: 'count',
    byQueue: true,
    byDefault: 'dead_letters > 0 warning',
    within: '5m',
    read: eachWhole(newDeadLetters),
    says: (value, queue) => `${value} new dead letters of queue '${queue}'`,
    help: 'hopline failed lists them with their errors; hopline failed retry replays them.',
  },
  silence: {
    unit: 'duration',
    byQueue: true,
    read: eachWhole((of, _lanes, measuring) => measuring.heldMs('silent', of)),
    says: (value, queue) => `nothing has come to queue '${queue}' for ${value}`,
    help: 'Look at the services that publish to it.',
  },
} as const satisfies Record<string, Measure>;
