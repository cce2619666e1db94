import bytes from 'bytes';
import type { StatusReport } from '../../control/control.js';
import type { HandlerReport, Percentiles } from '../../control/handler-report.js';
import type { ProcessReport, QueueReport } from '../../control/queue-report.js';
import { formatMs } from '../../util/duration.js';
import { printTable } from './table.js';
import type { Terminal } from './terminal.js';
import { countText, numberText, oneLine } from './text.js';

const PROCESSES = ['service', 'process', 'state', 'up', 'running', 'slots', 'waiting', 'memory', 'loop lag'];
const QUEUES = ['queue', 'ready', 'consumers', 'state'];
const HANDLERS = [
  'handler',
  'queue',
  'running',
  'per second',
  'runs p50',
  'p99',
  'waited p50',
  'p99',
  'failed',
  'retried',
  'dead',
  'circuit',
];

/** Prints a status as tables: processes, queues, handlers. */
export function printStatus(terminal: Terminal, { processes, queues, handlers }: StatusReport): void {
  if (processes.length > 0) {
    printTable(terminal, PROCESSES, processes.toSorted(byService).map(processRow));
    terminal.print('');
  }
  if (queues.length > 0) {
    printTable(terminal, QUEUES, queues.map(queueRow));
    terminal.print('');
  }
  if (handlers.length > 0) printTable(terminal, HANDLERS, handlers.map(handlerRow));
}

/** Warnings about a status, as sentences that are harmless for a terminal. */
export function notesOf({ processes, queues, paused }: StatusReport): string[] {
  const notes = [
    ...(processes.length === 0 ? ['no process has answered: none runs, or none with this prefix'] : []),
    ...(paused === undefined ? [PAUSED_UNKNOWN] : []),
    ...queues.flatMap((queue) => noteOf(queue) ?? []),
  ];
  return notes.map(oneLine);
}

const PAUSED_UNKNOWN =
  'which queues are paused is not known: a process that was reading it stands still (stopped, or busy). Until it goes on or its connection ends, no process can start and no queue be paused';

function noteOf({ queue, ready, consumers, paused, serving, consuming }: QueueReport): string | undefined {
  if (consumers > 0)
    return serving > 0
      ? undefined
      : `queue '${queue}' has ${countText(consumers, 'consumer')}, and none answered: they are busy, other programs, or have control switched off`;
  // A process that serves the queue and doesn't consume it has a reason: a pause, an open circuit, a lane
  // with precedence.
  if (ready === 0 || paused || (serving > 0 && consuming === 0)) return undefined;
  return `queue '${queue}' holds ${countText(ready, 'message')}, and nobody consumes it`;
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

function queueRow({ queue, ready, consumers, paused }: QueueReport): string[] {
  return [queue, numberText(ready), numberText(consumers), stateOf(paused, consumers)];
}

function stateOf(paused: boolean, consumers: number): string {
  if (paused) return 'paused';
  return consumers > 0 ? 'consumed' : 'not consumed';
}

function handlerRow(handler: HandlerReport): string[] {
  const { running, perSecond, runtimeMs, waitMs, failures, retries, deadLettered, circuitsOpen } = handler;
  return [
    handler.handler,
    handler.queue,
    numberText(running),
    perSecond < 10 ? perSecond.toFixed(1) : numberText(Math.round(perSecond)),
    ...pairText(runtimeMs),
    ...pairText(waitMs),
    numberText(failures),
    numberText(retries),
    numberText(deadLettered),
    circuitText(circuitsOpen),
  ];
}

function circuitText(open: number | undefined): string {
  if (open === undefined) return '-';
  return open === 0 ? 'closed' : `open in ${numberText(open)}`;
}

const pairText = (of: Percentiles | undefined): string[] =>
  of ? [msText(of.p50), msText(of.p99)] : ['-', '-'];

const msText = (durationMs: number): string =>
  durationMs < 10 ? `${durationMs.toFixed(1)}ms` : formatMs(durationMs);

const byService = (a: ProcessReport, b: ProcessReport): number =>
  a.service.localeCompare(b.service) || a.host.localeCompare(b.host) || a.pid - b.pid;
