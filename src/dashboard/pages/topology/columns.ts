/** All in units of the picture, which are pixels at its own size. */
export const MARGIN = 8;
export const BETWEEN = 36;

interface ColumnSize {
  readonly width: number;
  /** Characters of a name that fit, beside the figures. */
  readonly characters: number;
}

const EXCHANGE: ColumnSize = { width: 180, characters: 24 };
/** Patterns between exchanges are short: mostly `#`. */
const BETWEEN_EXCHANGES: ColumnSize = { width: 110, characters: 14 };
const PATTERN: ColumnSize = { width: 190, characters: 26 };
const QUEUE: ColumnSize = { width: 290, characters: 25 };
const HANDLER: ColumnSize = { width: 230, characters: 22 };

/** Columns of the picture, from the left: exchanges and patterns between them take turns, then come patterns, queues and handlers. */
export class Columns {
  private readonly sizes: readonly ColumnSize[];

  /** @param deepest depth of the last exchanges */
  constructor(readonly deepest: number) {
    const before = Array.from({ length: deepest }, () => [EXCHANGE, BETWEEN_EXCHANGES]);
    this.sizes = [...before.flat(), EXCHANGE, PATTERN, QUEUE, HANDLER];
  }

  get patterns(): number {
    return 2 * this.deepest + 1;
  }

  get queues(): number {
    return this.patterns + 1;
  }

  get handlers(): number {
    return this.patterns + 2;
  }

  get width(): number {
    const { x, width } = this.at(this.handlers);
    return x + width + MARGIN;
  }

  exchanges(depth: number): number {
    return 2 * depth;
  }

  at(column: number): ColumnSize & { readonly x: number } {
    const x = this.sizes.slice(0, column).reduce((sum, { width }) => sum + width + BETWEEN, MARGIN);
    return { ...(this.sizes[column] ?? HANDLER), x };
  }
}
