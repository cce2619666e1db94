import type { HandlerReport } from '../../control/handler-report.js';
import type { ProcessReport, QueueReport } from '../../control/queue-report.js';
import type { StatusReport } from '../../control/results.js';
import { formatMs } from '../../util/duration.js';
import { countText, numberText } from '../../util/text/count-text.js';
import { oneLine } from './text.js';

/** What a status says about an application, as sentences that are harmless for a terminal. */
export interface Verdict {
  /** The worst first; empty if nothing is wrong. */
  readonly wrong: readonly string[];
  /** What the status can't tell. */
  readonly unknown: readonly string[];
}

/** A sentence, and how bad it is: the highest number is the worst. */
type Finding = readonly [rank: number, sentence: string];

/** Limits from which something is wrong. */
const LIMITS = {
  /** Share of the attempts of a handler that fail. */
  failing: 0.05,
  /** Wait of a queue's oldest message, in milliseconds. */
  oldestMs: 60_000,
  /** Delay of an event loop, in milliseconds. */
  lagMs: 1_000,
};

/** Length of the windows in which rates are counted: an error before them explains no rate. */
const RECENT_MS = 60_000;

/** @param now wall-clock milliseconds */
export function verdictOf(status: StatusReport, now: number): Verdict {
  const { processes, queues, handlers, paused } = status;
  const findings: Finding[] = [
    ...(processes.length === 0 ? [[100, NOBODY] as const] : []),
    ...queues.flatMap((queue) => ofQueue(queue, processes)),
    ...handlers.flatMap((handler) => ofHandler(handler, now)),
    ...processes.flatMap(ofProcess),
  ];
  return {
    wrong: findings.toSorted(([left], [right]) => right - left).map(([, sentence]) => oneLine(sentence)),
    unknown: [
      ...(paused === undefined ? [PAUSED_UNKNOWN] : []),
      ...queues.filter(isSilent).map(silentText),
    ].map(oneLine),
  };
}

const NOBODY = 'no process has answered: none runs, or none with this prefix';

const PAUSED_UNKNOWN =
  'which queues are paused is not known: a process that was reading it stands still (stopped, or busy). Until it goes on or its connection ends, no process can start and no queue be paused';

const isSilent = ({ consumers, serving }: QueueReport): boolean => consumers > 0 && serving === 0;

const silentText = ({ queue, consumers }: QueueReport): string =>
  `queue '${queue}' has ${countText(consumers, 'consumer')}, and none answered: they are busy, other programs, or have control switched off`;

function ofQueue(report: QueueReport, processes: readonly ProcessReport[]): Finding[] {
  const { queue, ready, consumers, paused, serving, consuming, oldestMs = 0 } = report;
  const holds = ready > 0 ? `, and holds ${countText(ready, 'message')}` : '';
  if (paused) return [[10, `queue '${queue}' is paused by an operator${holds}`]];
  // A process that serves the queue and doesn't consume it has a reason: an open circuit, a lane with precedence.
  if (consumers === 0 && ready > 0 && (serving === 0 || consuming > 0))
    return [[90, `queue '${queue}' holds ${countText(ready, 'message')}, and nobody consumes it`]];
  if (oldestMs < LIMITS.oldestMs) return [];
  const groups = processes
    .flatMap(({ slotGroups }) => slotGroups)
    .filter(({ lanes }) => lanes.some((lane) => lane.queue === queue));
  const slots = groups.reduce((sum, group) => sum + group.slots, 0);
  const isBusy = groups.every((group) => group.running >= group.slots);
  const why = isBusy ? `, and all ${countText(slots, 'slot')} are busy` : '';
  return [[50, `the oldest message of queue '${queue}' has waited for ${formatMs(oldestMs)}${why}`]];
}

function ofHandler(report: HandlerReport, now: number): Finding[] {
  const { handler, queue, failureRate = 0, longestMs = 0, timeoutMs, circuitsOpen = 0 } = report;
  const findings: Finding[] = [];
  if (circuitsOpen > 0) {
    const where = circuitsOpen === 1 ? '1 process' : `${numberText(circuitsOpen)} processes`;
    findings.push([
      70,
      `the circuit of handler '${handler}' is open in ${where}, so queue '${queue}' waits there${cause(report, now)}`,
    ]);
  }
  if (failureRate >= LIMITS.failing)
    findings.push([
      60 + failureRate,
      `handler '${handler}' of queue '${queue}' fails ${Math.round(failureRate * 100)} % of its attempts${cause(report, now)}`,
    ]);
  if (longestMs > timeoutMs)
    findings.push([
      40,
      `an attempt of handler '${handler}' has run for ${formatMs(longestMs)}, longer than its timeout of ${formatMs(timeoutMs)}: it ignores context.signal`,
    ]);
  return findings;
}

/** Kind of an error, without a code of Hopline's, which says no more than the class does. */
export const kindText = (kind: string): string => kind.replace(/ HOPLINE_\w+$/, '');

/** `, mostly TypeError: x is not a function`: the most frequent of the recent errors. */
function cause({ errors }: HandlerReport, now: number): string {
  const recent = errors.filter(({ lastAt }) => now - lastAt <= RECENT_MS);
  const [most, second] = (recent.length > 0 ? recent : errors.slice(0, 1)).toSorted(
    (left, right) => right.count - left.count,
  );
  if (!most) return '';
  const kind = kindText(most.kind);
  const text = most.message === '' ? kind : `${kind}: ${most.message}`;
  return `, ${second ? 'mostly ' : 'with '}${text}`;
}

function ofProcess({ service, host, pid, slotGroups, lagMs = 0 }: ProcessReport): Finding[] {
  const who = `process ${pid} of ${service} on ${host}`;
  const held = slotGroups.filter((group) => group.held).flatMap(({ queues }) => queues);
  return [
    ...held.map(
      (queue): Finding => [
        80,
        `${who} begins nothing of queue '${queue}': a retry or a dead letter can't be published`,
      ],
    ),
    ...(lagMs >= LIMITS.lagMs
      ? [
          [
            45,
            `the event loop of ${who} stood still for ${formatMs(lagMs)}: a handler computes without a pause`,
          ] as const,
        ]
      : []),
  ];
}
