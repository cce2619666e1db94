import { number, object, optional, picklist, record, string } from 'valibot';
import { OptionsError } from '../../errors.js';
import type { KeptDocument } from '../../kept/kept-document.js';
import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { shaped } from '../../util/json-shape.js';
import { reasonText } from '../../util/text/error-text.js';
import { type GroupMark, type GroupRecord, SAID_STATES, type SaidState } from './group.js';

/** What operators have said of groups, as it is kept in the broker. */
export type GroupRecords = Readonly<Record<string, KeptRecord>>;

interface KeptRecord {
  readonly state: SaidState;
  readonly note?: string | undefined;
  readonly by: string;
  /** When it was said, and when letters of the group were last seen, in milliseconds since 1970. */
  readonly at: number;
  readonly seenAt: number;
}

const VERSION = 1;

const document = object({
  v: number(),
  groups: record(
    string(),
    object({
      state: picklist(SAID_STATES),
      note: optional(string()),
      by: string(),
      at: number(),
      seenAt: number(),
    }),
  ),
});

/** How they are kept. The format is a promise: whoever changes it incompatibly raises `v`. */
export interface GroupDocument {
  readonly v: number;
  readonly groups: GroupRecords;
}

export const NO_RECORDS: GroupDocument = { v: VERSION, groups: {} };

/** Undefined for content of another form. */
export function decodeRecords(content: unknown): GroupDocument | undefined {
  const read = shaped(document, content);
  return read?.v === VERSION ? read : undefined;
}

const MOST_NOTE = 1_000;
const MOST_NAME = 200;
/** Groups that nobody has seen a letter of for so long are forgotten, and the longest unseen beyond so many. */
const FORGOTTEN_MS = 30 * 24 * 60 * 60_000;
const MOST_GROUPS = 2_000;
/** For how long what was read counts: each read takes the document and gives it back. */
const FRESH_MS = 5_000;

/** @throws OptionsError */
export function checkMark({ state, note }: GroupMark, by: string): void {
  const problems: string[] = [];
  if (state !== undefined && !SAID_STATES.includes(state))
    problems.push(`expected state to be open, seen or resolved, got '${state}'`);
  if (note !== undefined && (typeof note !== 'string' || note.length > MOST_NOTE))
    problems.push(`expected note to be a text of at most ${MOST_NOTE} characters`);
  if (state === undefined && note === undefined) problems.push('expected a state, a note, or both');
  if (typeof by !== 'string' || by === '' || by.length > MOST_NAME)
    problems.push(`expected who says so to be a name of at most ${MOST_NAME} characters`);
  if (problems.length > 0) throw new OptionsError('mark', problems);
}

/** The records of groups, read not more often than each few seconds. */
export class GroupNotes {
  /** Why {@link readOrLast} had to do with what was known; undefined if it hadn't. */
  problem: string | undefined;
  private last: GroupRecords = NO_RECORDS.groups;
  /** A reading that somebody has waited for in vain. */
  private hanging: Promise<GroupRecords> | undefined;
  private known: { readonly at: number; readonly records: Promise<GroupRecords> } | undefined;

  constructor(
    private readonly kept: Pick<KeptDocument<GroupDocument>, 'read' | 'change'>,
    private readonly clock: Clock,
  ) {}

  /** @throws ConnectError, KeptDocumentError */
  read(): Promise<GroupRecords> {
    const now = this.clock.monotonic();
    if (this.known && now - this.known.at < FRESH_MS) return this.known.records;
    const records = this.kept.read().then(({ groups }) => {
      this.last = groups;
      return groups;
    });
    const known = { at: now, records };
    this.known = known;
    records.catch(() => {
      if (this.known === known) this.known = undefined;
    });
    return records;
  }

  /** The records, or those that were known last if they can't be read within this time. Never rejects. */
  async readOrLast(withinMs: number): Promise<GroupRecords> {
    const silent = () => new Error(`no answer within ${withinMs / 1_000} s`);
    const reading = this.read();
    try {
      // Whoever asks next does not wait for the same.
      const patience = new Deadline(this.clock, reading === this.hanging ? 0 : withinMs);
      const records = await patience.race(reading, silent);
      this.hanging = undefined;
      this.problem = undefined;
      return records;
    } catch (error) {
      this.problem = reasonText(error);
      this.hanging = reading;
      return this.last;
    }
  }

  /**
   * @param seen ids of all groups that have letters now
   * @throws OptionsError, ConnectError, ControlError, KeptDocumentError
   */
  async mark(id: string, { state, note }: GroupMark, by: string, seen: ReadonlySet<string>): Promise<void> {
    const now = this.clock.now();
    const { groups } = await this.kept.change(({ groups: before }) => {
      const known = Object.hasOwn(before, id) ? before[id] : undefined;
      if (!known && !seen.has(id))
        throw new OptionsError('mark', [`there are no dead letters in group '${id}', and none were noted`]);
      const said = note === undefined ? known?.note : note.trim() || undefined;
      const marked: KeptRecord = {
        state: state ?? known?.state ?? 'open',
        note: said,
        by,
        at: now,
        seenAt: now,
      };
      return { v: VERSION, groups: pruned({ ...before, [id]: marked }, seen, now) };
    });
    this.last = groups;
    this.known = { at: this.clock.monotonic(), records: Promise.resolve(groups) };
  }
}

function pruned(records: GroupRecords, seen: ReadonlySet<string>, now: number): GroupRecords {
  const all = Object.entries(records).map(
    ([id, each]) => [id, seen.has(id) ? { ...each, seenAt: now } : each] as const,
  );
  const kept = all
    .filter(([, { seenAt }]) => now - seenAt < FORGOTTEN_MS)
    .sort(([, left], [, right]) => right.seenAt - left.seenAt)
    .slice(0, MOST_GROUPS);
  return Object.fromEntries(kept);
}

/** A resolved group that has failed after that is back; which is found anew each time, so that no restart forgets it. */
export function recordOf(records: GroupRecords, id: string, lastAt: number | undefined): GroupRecord {
  const known = Object.hasOwn(records, id) ? records[id] : undefined;
  if (!known) return { state: 'open', note: undefined, by: undefined, at: undefined };
  const { state, note, by, at } = known;
  const isBack = state === 'resolved' && lastAt !== undefined && lastAt > at;
  return { state: isBack ? 'back' : state, note, by, at };
}
