/** Maximum number of values of one label. */
const MOST = 1_000;

/** The value that stands for all beyond {@link MOST}. */
export const OTHER = 'other';

/** What is counted for each value of a label. A label with more values than a scrape can bear gets {@link OTHER} for the rest. */
export class Cells<Cell> {
  private readonly cells = new Map<string, Cell>();

  constructor(private readonly create: () => Cell) {}

  of(value: string): Cell {
    return this.cells.get(value) ?? this.add(value);
  }

  [Symbol.iterator](): IterableIterator<[value: string, cell: Cell]> {
    return this.cells.entries();
  }

  private add(value: string): Cell {
    const name = this.cells.size < MOST ? value : OTHER;
    const cell = this.cells.get(name) ?? this.create();
    this.cells.set(name, cell);
    return cell;
  }
}

/** One number. */
export class Count {
  value = 0;
}
