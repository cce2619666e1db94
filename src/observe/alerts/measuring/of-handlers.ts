import type { Measure, Reading, Window } from './measure.js';
import type { HandlerGroup, Measuring } from './measuring.js';

/** Time that the recent figures of a status cover. */
const RECENT_MS = 60_000;

/** Reads a value of each handler; undefined while no process tells anything. */
const each =
  (read: (group: HandlerGroup, measuring: Measuring, window: Window) => Omit<Reading, 'subject'>) =>
  (measuring: Measuring, window: Window): readonly Reading[] | undefined => {
    const { snapshot, handlers } = measuring;
    if (!snapshot?.reached || snapshot.processes.length === 0) return undefined;
    return handlers.map((group) => {
      const { queue, handler } = group;
      return { subject: `${queue}/${handler}`, queue, ...read(group, measuring, window) };
    });
  };

/** Attempts and failures of the window; those of the status where that reaches further back. */
function ended({ queue, handler, all }: HandlerGroup, measuring: Measuring, withinMs: number) {
  const attempts = measuring.change(withinMs, 'attempts', queue, handler);
  const failures = measuring.change(withinMs, 'failures', queue, handler);
  const recent = {
    attempts: all.reduce((sum, one) => sum + one.recent, 0),
    failures: all.reduce((sum, one) => sum + one.recentFailures, 0),
  };
  return attempts && failures && (attempts.overMs >= Math.min(withinMs, RECENT_MS) || withinMs < RECENT_MS)
    ? { attempts: attempts.by, failures: failures.by }
    : recent;
}

function failureRate(group: HandlerGroup, measuring: Measuring, { withinMs, atLeast }: Window) {
  const { attempts, failures } = ended(group, measuring, withinMs);
  const error = group.all.flatMap(({ errors }) => errors[0] ?? [])[0];
  const saysNothing = attempts < Math.max(1, atLeast);
  return {
    // Of few attempts a failure says nothing; where none has failed in all the time, what has failed before is over.
    value: failures === 0 ? 0 : saysNothing ? undefined : failures / attempts,
    note: error && `last ${error.kind}`,
  };
}

function overrun({ all }: HandlerGroup) {
  return {
    value: Math.max(0, ...all.map(({ longestMs, timeoutMs }) => (longestMs ?? 0) - timeoutMs)),
  };
}

/** Share of the time for which slots were busy, of each slot group. */
function busySlots(measuring: Measuring, { withinMs }: Window): readonly Reading[] | undefined {
  const { snapshot } = measuring;
  if (!snapshot?.reached || snapshot.processes.length === 0) return undefined;
  const groups = snapshot.processes.flatMap(({ slotGroups }) => slotGroups.map(({ queues }) => queues));
  const distinct = new Map(groups.map((queues) => [queues.join(), queues]));
  return [...distinct].map(([subject, queues]) => {
    const busy = measuring.change(withinMs, 'busy', ...queues);
    const slots = measuring.change(withinMs, 'slots', ...queues);
    const known = { subject, queue: queues[0] ?? subject };
    if (!busy || !slots || slots.by <= 0) return { ...known, value: undefined };
    // Slots that are busy while nobody waits longer for them are well used.
    const rises = queues.some((queue) => (measuring.change(withinMs, 'wait', queue)?.by ?? 0) > 0);
    return { ...known, value: rises ? Math.min(1, busy.by / slots.by) : 0 };
  });
}

export const handlerMeasures = {
  failure_rate: {
    unit: 'share',
    byQueue: true,
    byDefault: 'failure_rate > 10% warning, > 50% critical',
    within: '5m',
    atLeast: 20,
    read: each(failureRate),
    says: (value, subject) => `${value} of the attempts of ${handlerText(subject)} failed`,
    help: 'hopline status shows its last errors; hopline failed what was given up.',
  },
  overrun: {
    unit: 'duration',
    byQueue: true,
    byDefault: 'overrun > 10s warning',
    read: each(overrun),
    says: (value, subject) => `${handlerText(subject)} has run for ${value} beyond its timeout`,
    help: 'It ignores context.signal, and goes on beside the next attempt: pass the signal on to what it awaits.',
  },
  busy_slots: {
    unit: 'share',
    byQueue: true,
    byDefault: 'busy_slots > 90% warning',
    for: '5m',
    within: '5m',
    read: busySlots,
    says: (value, subject) =>
      `the slots of queue '${subject}' are busy for ${value} of the time, and waits rise`,
    help: 'Raise the concurrency if its handlers wait for others, else add processes.',
  },
} as const satisfies Record<string, Measure>;

function handlerText(subject: string): string {
  const at = subject.lastIndexOf('/');
  return `handler ${subject.slice(at + 1)} of queue '${subject.slice(0, at)}'`;
}
