import bytes from 'bytes';
import type { ErrorGroup } from '../../consume/report/error-groups.js';
import type { HandlerReport } from '../../control/handler-report.js';
import { rateText } from '../../control/limit-text.js';
import type { ProcessReport, QueueReport } from '../../control/queue-report.js';
import type { StatusReport } from '../../control/results.js';
import { formatMs } from '../../util/duration.js';
import { numberText } from '../../util/text/count-text.js';
import { printTable } from './table.js';
import type { Terminal } from './terminal.js';
import { kindText, type Verdict, verdictOf } from './what-is-wrong.js';

const PROCESSES = ['service', 'process', 'state', 'up', 'running', 'slots', 'waiting', 'memory', 'loop lag'];
const QUEUES = ['queue', 'ready', 'consumers', 'oldest', 'state'];
const HANDLERS = [
  ...['handler', 'queue', 'running', 'per s', 'runs p50', 'p99', 'longest', 'waited p95'],
  ...['failing', 'failed', 'dead', 'circuit'],
];
const LIMITS = ['handler', 'queue', 'rate', 'at once', 'set'];
const ERRORS = ['handler', 'error', 'times', 'last', 'message'];

/** Sentences that are printed; the tables have what else is wrong. */
const MOST_SENTENCES = 10;

/**
 * Prints a status: what is wrong, then tables of processes, queues, handlers and their last errors.
 *
 * @param now wall-clock milliseconds
 */
export function printStatus(terminal: Terminal, status: StatusReport, now: number): void {
  const { processes, queues, handlers } = status;
  printVerdict(terminal, verdictOf(status, now));
  if (processes.length > 0) {
    terminal.print('');
    printProcesses(terminal, processes.toSorted(byService));
  }
  if (queues.length > 0) {
    terminal.print('');
    printTable(terminal, QUEUES, queues.map(queueRow));
  }
  if (handlers.length > 0) {
    terminal.print('');
    printTable(terminal, HANDLERS, handlers.map(handlerRow), HANDLERS.indexOf('queue'));
  }
  const limited = handlers.flatMap((each) => (each.limits ? [limitRow(each, each.limits, now)] : []));
  if (limited.length > 0) {
    terminal.print('');
    printTable(terminal, LIMITS, limited, LIMITS.indexOf('queue'));
  }
  const errors = handlers.flatMap((each) => each.errors.map((error) => errorRow(each, error, now)));
  if (errors.length > 0) {
    terminal.print('');
    printTable(terminal, ERRORS, errors, ERRORS.indexOf('message'));
  }
}

function printVerdict(terminal: Terminal, { wrong, unknown }: Verdict): void {
  if (wrong.length === 0)
    terminal.print(unknown.length === 0 ? 'nothing is wrong' : 'nothing known is wrong');
  else terminal.print(terminal.strong('WHAT IS WRONG'));
  for (const sentence of wrong.slice(0, MOST_SENTENCES)) terminal.print(sentence);
  if (wrong.length > MOST_SENTENCES) terminal.print(`and ${wrong.length - MOST_SENTENCES} more`);
  for (const sentence of unknown) terminal.print(`not known: ${sentence}`);
}

/** With the versions of their applications, where any of them tells it. */
function printProcesses(terminal: Terminal, processes: readonly ProcessReport[]): void {
  const rows = processes.map(processRow);
  if (processes.every(({ version }) => version === undefined)) {
    printTable(terminal, PROCESSES, rows);
    return;
  }
  const withVersion = rows.map((row, index) => [...row, processes[index]?.version ?? '-']);
  printTable(terminal, [...PROCESSES, 'version'], withVersion);
}

function processRow({
  service,
  host,
  pid,
  state,
  supervised,
  uptimeMs,
  slotGroups,
  memory,
  lagMs,
}: ProcessReport): string[] {
  const sum = (count: (each: ProcessReport['slotGroups'][number]) => number) =>
    numberText(slotGroups.reduce((total, each) => total + count(each), 0));
  const held = slotGroups.some((each) => each.held) ? ', held' : '';
  return [
    service,
    `${host}:${pid}`,
    `${state}${supervised ? '' : ', alone'}${held}`,
    formatMs(uptimeMs),
    sum(({ running }) => running),
    sum((each) => each.slots),
    sum(({ waiting }) => waiting),
    bytes.format(memory, { decimalPlaces: 0 }) ?? '-',
    lagMs === undefined ? '-' : msText(lagMs),
  ];
}

function queueRow({ queue, ready, consumers, oldestMs, paused }: QueueReport): string[] {
  const oldest = oldestMs ? msText(oldestMs) : (oldestMs?.toString() ?? '-');
  return [queue, numberText(ready), numberText(consumers), oldest, stateOf(paused, consumers)];
}

function stateOf(paused: boolean, consumers: number): string {
  if (paused) return 'paused';
  return consumers > 0 ? 'consumed' : 'not consumed';
}

function handlerRow(handler: HandlerReport): string[] {
  const { running, perSecond, runtimeMs, waitMs, longestMs, timeoutMs, failureRate } = handler;
  return [
    handler.handler,
    handler.queue,
    numberText(running),
    perSecond < 10 ? perSecond.toFixed(1) : numberText(Math.round(perSecond)),
    ...(runtimeMs ? [msText(runtimeMs.p50), msText(runtimeMs.p99)] : ['-', '-']),
    longestMs === undefined ? '-' : `${msText(longestMs)}/${formatMs(timeoutMs)}`,
    waitMs ? msText(waitMs.p95) : '-',
    failureRate === undefined ? '-' : `${Math.round(failureRate * 100)}%`,
    numberText(handler.failures),
    numberText(handler.deadLettered),
    circuitText(handler.circuitsOpen),
  ];
}

function limitRow(
  { handler, queue }: HandlerReport,
  { rate, concurrency, since }: NonNullable<HandlerReport['limits']>,
  now: number,
): string[] {
  return [
    ...[handler, queue, rate ? rateText(rate) : '-', concurrency?.toString() ?? '-'],
    since === undefined ? '-' : `${formatMs(Math.max(0, now - since))} ago`,
  ];
}

function errorRow({ handler }: HandlerReport, error: ErrorGroup, now: number): string[] {
  const { kind, message, count, lastAt } = error;
  return [handler, kindText(kind), numberText(count), `${formatMs(Math.max(0, now - lastAt))} ago`, message];
}

function circuitText(open: number | undefined): string {
  if (open === undefined) return '-';
  return open === 0 ? 'closed' : `open in ${numberText(open)}`;
}

const msText = (durationMs: number): string =>
  durationMs < 10 ? `${durationMs.toFixed(1)}ms` : formatMs(durationMs);

const byService = (a: ProcessReport, b: ProcessReport): number =>
  a.service.localeCompare(b.service) || a.host.localeCompare(b.host) || a.pid - b.pid;
