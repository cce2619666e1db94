import { cutText } from '../../util/text/cut-text.js';
import { errorKind, reasonText } from '../../util/text/error-text.js';

/** Errors of one kind. */
export interface ErrorGroup {
  /** Name of the error's class, and its code if it has one. */
  readonly kind: string;
  /** Message of the latest, in one line. */
  readonly message: string;
  /** Number of them, since the first that is still in the list. */
  readonly count: number;
  /** Time of the latest, in wall-clock milliseconds. */
  readonly lastAt: number;
}

/** Maximum number of groups: the one that was longest without an error makes room for another. */
const MAX_GROUPS = 5;
const MAX_MESSAGE_BYTES = 200;
/** Of a very long message, no more is read: whitespace may be most of it. */
const READ_LENGTH = 2_000;

/** Last errors of a handler, by kind. */
export class ErrorGroups {
  /** The latest last. */
  private readonly groups = new Map<string, ErrorGroup>();

  /** @param at wall-clock milliseconds */
  add(error: unknown, at: number): void {
    const kind = errorKind(error);
    const count = (this.groups.get(kind)?.count ?? 0) + 1;
    const message = cutText(reasonText(error).slice(0, READ_LENGTH).replace(/\s+/g, ' '), MAX_MESSAGE_BYTES);
    this.groups.delete(kind);
    this.groups.set(kind, { kind, message, count, lastAt: at });
    const [oldest] = this.groups.keys();
    if (this.groups.size > MAX_GROUPS && oldest !== undefined) this.groups.delete(oldest);
  }

  /** The latest first. */
  read(): ErrorGroup[] {
    return [...this.groups.values()].reverse();
  }

  /** Groups of several processes as one list, the latest first. */
  static of(all: Iterable<readonly ErrorGroup[]>): ErrorGroup[] {
    const merged = new Map<string, ErrorGroup>();
    for (const group of [...all].flat().toSorted((left, right) => left.lastAt - right.lastAt)) {
      const count = (merged.get(group.kind)?.count ?? 0) + group.count;
      merged.delete(group.kind);
      merged.set(group.kind, { ...group, count });
    }
    return [...merged.values()].reverse();
  }
}
