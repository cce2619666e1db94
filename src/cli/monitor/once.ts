import type { AlertStatus } from '../../observe/alerts/alert.js';
import type { Unit } from '../../observe/alerts/measuring/measure.js';
import { measureOf } from '../../observe/alerts/measuring/measures.js';
import type { Snapshot } from '../../observe/alerts/measuring/snapshot.js';
import type { MeasureName } from '../../observe/alerts/rules/measure-name.js';
import type { Rule } from '../../observe/alerts/rules/rule.js';
import { Board } from '../../observe/alerts/state/board.js';
import { type Clock, pause } from '../../util/clock.js';
import { oneLine } from '../output/text.js';

/** States of a check, by the exit codes that Nagios and its kin give them. */
const STATES = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;

/** Result of one check. */
export interface Checked {
  readonly code: 0 | 1 | 2 | 3;
  /** One line, with the figures behind a bar. */
  readonly line: string;
  readonly alerts: readonly AlertStatus[];
}

export interface OnceParts {
  readonly rules: readonly Rule[];
  readonly clock: Clock;
  /** Time between the two looks: what a rule measures over a window is measured over this. */
  readonly overMs: number;
  /** Queues that must be there: those that were asked for, and those of the application. */
  readonly named: readonly string[];
  look(): Promise<Snapshot>;
}

/** What is wrong as soon as it is so in both looks: it may have been so for hours. */
const WRONG_AT_ONCE: ReadonlySet<MeasureName> = new Set(['no_consumers', 'blocked', 'unreachable']);

/** What is well for a while: two looks that are close together say nothing of it. */
const NEEDS_TIME: ReadonlySet<MeasureName> = new Set(['silence', 'overdue_delay']);

/** Looks twice, and says how it is. Nothing has to hold for a time: the one who asks again decides that. */
export async function checkOnce({ rules, clock, overMs, named, look }: OnceParts): Promise<Checked> {
  const board = new Board(
    rules.map((rule) => ({ ...rule, forMs: 0, whileItLasts: WRONG_AT_ONCE.has(rule.measure) })),
    Number.POSITIVE_INFINITY,
  );
  board.take(await look(), clock.now());
  await pause(clock, overMs);
  const snapshot = await look();
  board.take(snapshot, clock.now());
  return judged(board.status(clock.now()).map(withoutGuess), unknownOf(snapshot, named));
}

/** What has begun and is within its limits may be beyond them: it has begun with the first look. */
function withoutGuess(alert: AlertStatus): AlertStatus {
  const { id, measure, severity, value = 0 } = alert;
  if (severity || value === 0 || !NEEDS_TIME.has(measure)) return alert;
  return { ...alert, state: 'unknown', value: undefined, message: `${id} is unknown` };
}

/** The check of a broker that can't be asked, or that was asked wrongly. */
export const notChecked = (reason: string): Checked => ({
  code: 3,
  line: lineOf(3, [reason], []),
  alerts: [],
});

/** What must be known, and is not. */
function unknownOf({ processes, queues, silent = [] }: Snapshot, named: readonly string[]): string[] {
  const found = new Set(queues.map(({ queue }) => queue));
  const missing = named.filter((queue) => !found.has(queue)).map((queue) => `there is no queue '${queue}'`);
  const mute = queues.filter(({ length }) => length === undefined);
  return [
    ...new Set(missing),
    ...mute.map(({ queue }) => `the broker says nothing of queue '${queue}': it may have no leader`),
    ...silentOf(processes, queues, named),
    ...silent,
  ];
}

/** Workers that have not answered, as far as it is known that they are some of Hopline's. */
function silentOf(
  processes: Snapshot['processes'],
  queues: Snapshot['queues'],
  named: readonly string[],
): string[] {
  const consumed = queues.filter(({ consumers }) => (consumers ?? 0) > 0);
  if (consumed.length > 0 && processes.length === 0) return ['no worker has answered, though some consume'];
  const lanes = processes.flatMap(({ slotGroups }) => slotGroups.flatMap((group) => group.lanes));
  const told = new Set(lanes.map(({ queue }) => queue));
  return consumed
    .filter(({ queue }) => named.includes(queue) && !told.has(queue))
    .map(({ queue }) => `no worker that consumes queue '${queue}' has answered`);
}

function judged(alerts: readonly AlertStatus[], unknown: readonly string[]): Checked {
  const critical = alerts.filter(({ severity }) => severity === 'critical');
  const warning = alerts.filter(({ severity }) => severity === 'warning');
  const code = critical.length > 0 ? 2 : warning.length > 0 ? 1 : unknown.length > 0 ? 3 : 0;
  const said = [...critical, ...warning].map(({ message }) => message);
  return { code, line: lineOf(code, [...said, ...unknown], alerts), alerts };
}

function lineOf(code: Checked['code'], said: readonly string[], alerts: readonly AlertStatus[]): string {
  const known = alerts.filter(({ value }) => value !== undefined);
  const text = said.length > 0 ? said.join('; ') : `${known.length} values within their limits`;
  // The bar begins the figures.
  const plain = oneLine(text).replaceAll('|', '/');
  const figures = alerts.flatMap(figureOf);
  return `HOPLINE ${STATES[code]} - ${plain}${figures.length > 0 ? ` | ${figures.join(' ')}` : ''}`;
}

const UNITS: Readonly<Record<Unit, { readonly name: string; readonly of: number }>> = {
  count: { name: '', of: 1 },
  duration: { name: 's', of: 1 / 1_000 },
  share: { name: '%', of: 100 },
};

/** `'oldest orders'=12s;300;3600`, as https://nagios-plugins.org/doc/guidelines.html has it. */
function figureOf({ id, measure, value, limits: { warning, critical } }: AlertStatus): string[] {
  if (value === undefined || !Number.isFinite(value)) return [];
  const { name, of } = UNITS[measureOf(measure).unit];
  const number = (each: number | undefined) => (each === undefined ? '' : Number((each * of).toFixed(3)));
  return [`'${id.replaceAll(/['=]/g, '_')}'=${number(value)}${name};${number(warning)};${number(critical)}`];
}
