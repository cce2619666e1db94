import { describeEntry, type Entry } from './entries.js';

type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;
type Unwritten<E extends Entry> = E extends Entry ? Omit<E, 'at'> : never;

/** Maximum lines in a failure's message: the last ones are shown. */
const SHOWN = 40;

/** All entries of one kit, in order. */
export class Journal {
  private readonly entries: Entry[] = [];

  /** @param elapsed milliseconds of the kit's clock since it was made */
  constructor(private readonly elapsed: () => number) {}

  /** @returns a function that removes the entry: it did not happen */
  add(entry: Unwritten<Entry>): () => void {
    const added = { ...entry, at: this.elapsed() } as Entry;
    this.entries.push(added);
    return () => this.entries.splice(this.entries.indexOf(added), 1);
  }

  note(text: string): void {
    this.add({ kind: 'note', text });
  }

  of<Kind extends Entry['kind']>(kind: Kind): EntryOf<Kind>[] {
    return this.entries.filter((entry): entry is EntryOf<Kind> => entry.kind === kind);
  }

  /** One line per entry. */
  lines(): string[] {
    return this.entries.map(describeEntry);
  }

  /** Account of the events for the message of a failed assertion. */
  account(): string {
    const lines = this.lines();
    if (lines.length === 0) return 'nothing happened at all';
    const left = lines.length - SHOWN;
    const shown = left > 0 ? [`… ${left} more before`, ...lines.slice(left)] : lines;
    return ['what happened:', ...shown.map((line) => `  ${line}`)].join('\n');
  }
}
