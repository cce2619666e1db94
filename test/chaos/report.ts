import type { ChaosAccount } from './account.js';
import { isClean } from './account.js';
import type { ChaosResult } from './run.js';

/** Whether a run holds the promise. */
export const passed = ({ account, troubles }: ChaosResult): boolean =>
  isClean(account) && troubles.length === 0;

/** For a person to read. */
export function report({ account, faults, troubles, quietMs, version, folder }: ChaosResult): string {
  const staged = Object.entries(faults).map(([name, times]) => `${times} × ${name}`);
  const { wrong, ...figures } = account;
  return [
    `RabbitMQ ${version}; faults: ${staged.join(', ')}`,
    `everything at its end ${(quietMs / 1_000).toFixed(1)} s after the last fault`,
    JSON.stringify(figures),
    ...wrong,
    ...troubles,
    ...(wrong.length + troubles.length > 0 ? [`journals and logs: ${folder}`] : []),
  ].join('\n');
}

const BEGIN = '<!-- chaos:start -->';
const END = '<!-- chaos:end -->';
const COLUMNS = [
  'attempted',
  'confirmed',
  'refused',
  'handled',
  'deadLettered',
  'lost',
  'duplicated',
  'unexpected',
  'hanging',
] as const satisfies readonly (keyof ChaosAccount)[];

export interface RunFacts {
  readonly minutes: number;
  readonly seed: number;
  readonly nodes: number;
  /** Such as `2026-11-24`. */
  readonly date: string;
}

/**
 * The page with this run's figures in its table: one row for each version, the last run's.
 *
 * @throws Error if the page has no place for them
 */
export function recorded(page: string, result: ChaosResult, run: RunFacts): string {
  const [before, rest] = page.split(BEGIN);
  const [table, after] = rest?.split(END) ?? [];
  if (before === undefined || table === undefined || after === undefined)
    throw new Error(`the page has no ${BEGIN} … ${END}`);
  const isRow = (line: string) => /^\| \d/.test(line) && !line.startsWith(`| ${result.version} `);
  const rows = [...table.split('\n').filter(isRow), rowOf(result, run)].sort();
  const head = ['RabbitMQ', 'run', 'faults', ...COLUMNS, 'quiet after'];
  const lines = [head, head.map(() => '---')].map((cells) => `| ${cells.join(' | ')} |`);
  return [before, BEGIN, '\n', [...lines, ...rows].join('\n'), '\n', END, after].join('');
}

function rowOf({ version, account, faults, quietMs }: ChaosResult, run: RunFacts): string {
  const staged = Object.values(faults).reduce((sum, times) => sum + times, 0);
  const how = `${run.minutes} min, ${run.nodes} nodes, seed ${run.seed}, ${run.date}`;
  const figures = COLUMNS.map((name) => account[name].toLocaleString('en'));
  return `| ${[version, how, staged, ...figures, `${Math.round(quietMs / 1_000)} s`].join(' | ')} |`;
}
