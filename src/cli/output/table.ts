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
  new LongTable(terminal, head, flexible).print(rows);
}

/** A table whose rows are printed in blocks: a later block may widen a column. */
export class LongTable {
  /** The head, as wide as the rows so far; it is printed once. */
  private widths: readonly string[];
  private isBegun = false;

  /** @param flexible as for {@link printTable} */
  constructor(
    private readonly terminal: Terminal,
    private readonly head: readonly string[],
    private readonly flexible = -1,
  ) {
    this.widths = head;
  }

  print(rows: readonly (readonly string[])[]): void {
    const { terminal, head, flexible, isBegun } = this;
    const cells = rows.map((row) => row.map(oneLine));
    const room = roomFor(terminal, [this.widths, ...cells], flexible);
    const table = new Table({
      head: isBegun ? [...this.widths] : head.map((text) => terminal.strong(text.toUpperCase())),
      chars: NO_LINES,
      style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    });
    const cut = cells.map((row) =>
      row.map((text, index) => (index === flexible ? cutLine(text, room) : text)),
    );
    for (const row of cut) table.push(row);
    for (const line of table
      .toString()
      .split('\n')
      .slice(isBegun ? 1 : 0))
      terminal.print(line.trimEnd());
    this.isBegun = true;
    this.widths = this.widths.map((text, column) =>
      cut.reduce((widest, row) => wider(widest, row[column] ?? ''), text),
    );
  }
}

const wider = (left: string, right: string): string => (right.length > left.length ? right : left);

function roomFor({ width }: Terminal, rows: readonly (readonly string[])[], flexible: number): number {
  if (width === undefined || flexible < 0) return Number.POSITIVE_INFINITY;
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((most, row) => Math.max(most, (row[column] ?? '').length), 0),
  );
  const others = widths.reduce((sum, each, column) => sum + (column === flexible ? 0 : each + 2), 0);
  return Math.max(12, width - others);
}
