import type { DrawnBody } from '../../letters/draw-body.js';
import type { LetterRow } from '../group/model.js';
import type { OperationRow } from '../operations/model.js';

/** Something that has happened to a message, as its headers tell. */
export interface StoryStep {
  /** Milliseconds since 1970; undefined where the headers don't tell when. */
  readonly at: number | undefined;
  readonly what: string;
  /** Details, each a name and a value. */
  readonly of: readonly (readonly [name: string, value: string])[];
  readonly kind: 'published' | 'tried' | 'failed' | 'changed';
}

/** A header or a property as text. */
export interface FieldRow {
  readonly name: string;
  readonly value: string;
}

export interface Fields {
  readonly rows: readonly FieldRow[];
  /** How many there are in all. */
  readonly count: number;
}

/** The body as text, or why it is closed. */
export type BodyModel =
  | (DrawnBody & { readonly wasEncrypted: boolean })
  | { readonly form: 'closed'; readonly problem: string };

/** What only the letter itself has, not the index. */
export interface WholeLetter {
  readonly story: readonly StoryStep[];
  readonly stack: string | undefined;
  readonly error: string | undefined;
  readonly isErrorCut: boolean;
  readonly properties: Fields;
  readonly headers: Fields;
  readonly body: BodyModel;
  readonly chain: ChainModel | undefined;
  readonly batch: { readonly id: string; readonly number: number } | undefined;
}

export interface ChainModel {
  readonly id: string;
  /** `step 2 of 3`. */
  readonly place: string;
  /** Routing keys of the later steps. */
  readonly rest: readonly string[];
  /** True if the step was handled: a replay only sends the next. */
  readonly finished: boolean;
}

/** Ids under which more is found. */
export interface MessageIds {
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
  readonly traceId: string | undefined;
  readonly chainId: string | undefined;
  readonly batchId: string | undefined;
}

export interface MessageModel {
  readonly id: string;
  readonly deadQueue: string;
  /** Queue in which it failed; undefined if that is not known, or was none. */
  readonly queue: string | undefined;
  /** What the index has of it; undefined if it has nothing. */
  readonly row: LetterRow | undefined;
  readonly group: { readonly id: string; readonly text: string } | undefined;
  readonly ids: MessageIds;
  /** Bytes of the body. */
  readonly bytes: number | undefined;
  /** How far the reading of the letter itself is. */
  readonly state: 'read' | 'reading' | 'gone' | 'failed';
  readonly problem: string | undefined;
  /** True if it is not a dead letter any more, by the index: what is shown is what was read before. */
  readonly hasLeft: boolean;
  /** Copies of it in the queue, and the one that is shown, from 0. */
  readonly copies: number;
  readonly copy: number;
  readonly letter: WholeLetter | undefined;
  /** The operation that works on its queue. */
  readonly holds: OperationRow | undefined;
}
