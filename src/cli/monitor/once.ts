import type { AlertStatus } from '../../observe/alerts/alert.js';
import type { Unit } from '../../observe/alerts/measuring/measure.js';
import { measureOf } from '../../observe/alerts/measuring/measures.js';
import type { Snapshot } from '../../observe/alerts/measuring/snapshot.js';
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
  look(): Promise<Snapshot>;
}

/** Looks twice, and says how it is. Nothing has to hold for a time: the one who asks again decides that. */
export async function checkOnce({ rules, clock, overMs, look }: OnceParts): Promise<Checked> {
  const board = new Board(
    rules.map((rule) => ({ ...rule, forMs: 0 })),
    Number.POSITIVE_INFINITY,
  );
  board.take(await look(), clock.now());
  await pause(clock, overMs);
  const snapshot = await look();
  board.take(snapshot, clock.now());
  return judged(board.status(clock.now()), unknownOf(snapshot));
}

/** The check of a broker that can't be asked, or that was asked wrongly. */
export const notChecked = (reason: string): Checked => ({
  code: 3,
  line: lineOf(3, [reason], []),
  alerts: [],
});

/** What must be known, and is not. */
function unknownOf({ processes, queues }: Snapshot): string[] {
  const consumed = queues.filter(({ consumers }) => (consumers ?? 0) > 0);
  if (processes.length > 0 || consumed.length === 0) return [];
  return ['no worker has answered, though some consume'];
}

function judged(alerts: readonly AlertStatus[], unknown: readonly string[]): Checked {
  const critical = alerts.filter(({ severity }) => severity === 'critical');
  const warning = alerts.filter(({ severity }) => severity === 'warning');
  const code = critical.length > 0 ? 2 : warning.length > 0 ? 1 : unknown.length > 0 ? 3 : 0;
  const said = [...critical, ...warning].map(({ message }) => message);
  return { code, line: lineOf(code, [...said, ...unknown], alerts), alerts };
}

function lineOf(code: Checked['code'], said: readonly string[], alerts: readonly AlertStatus[]): string {
  const text = said.length > 0 ? said.join('; ') : `${alerts.length} values within their limits`;
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
