import Table from 'cli-table3';
import { cutLine } from '../../util/text/cut-text.js';
import type { Terminal } from './terminal.js';
import { oneLine } from './text.js';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/**
 * Prints columns with a head, without lines, so that `awk` and `sort` can read them.
 *
 * @param flexible the column that is cut on a terminal if a row is too wide
 */
export function printTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  flexible = -1,
): void {
  const cells = rows.map((row) => row.map(oneLine));
  const room = roomFor(terminal, [head, ...cells], flexible);
  const table = new Table({
    head: head.map((text) => terminal.strong(text.toUpperCase())),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of cells)
    table.push(row.map((text, index) => (index === flexible ? cutLine(text, room) : text)));
  for (const line of table.toString().split('\n')) terminal.print(line.trimEnd());
}

function roomFor({ width }: Terminal, rows: readonly (readonly string[])[], flexible: number): number {
  if (width === undefined || flexible < 0) return Number.POSITIVE_INFINITY;
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const others = widths.reduce((sum, each, column) => sum + (column === flexible ? 0 : each + 2), 0);
  return Math.max(12, width - others);
}
