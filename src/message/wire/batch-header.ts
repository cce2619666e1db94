import { UndecodableError } from '../../errors.js';
import type { BatchCounts, WireNotification } from '../batch.js';
import { HEADER } from '../headers.js';
import type { Headers } from '../properties.js';

/*
 * The header `hopline-batch`, as JSON: the job of a batch that the message is, or the notification about a
 * batch that it carries. A step of a chain has it inside the chain's header, so that it goes on to the last
 * step. The format is a promise: whoever changes it incompatibly raises `v`.
 *
 * Checks are by hand, as those of the chain's header, for the reason that is given there.
 */

const VERSION = 1;

/** Position of a job: the batch's id, and the job's number in it. */
export interface BatchPosition {
  readonly id: string;
  readonly number: number;
}

/** Notification about a batch: its kind, and the batch's counts at the moment it was decided. */
export interface NotificationMark {
  readonly id: string;
  readonly kind: WireNotification;
  readonly counts: BatchCounts;
}

/** Mark of a message that belongs to a batch. */
export type BatchMark = BatchPosition | NotificationMark;

export const isJob = (mark: BatchMark): mark is BatchPosition => 'number' in mark;

/** The header's text. It calls a notification's kind `news`, and its counts `figures`. */
export function encodeMark(mark: BatchMark): string {
  if (isJob(mark)) return JSON.stringify({ v: VERSION, ...mark });
  const { id, kind: news, counts: figures } = mark;
  return JSON.stringify({ v: VERSION, id, news, figures });
}

/**
 * Mark of the batch that a message belongs to; undefined if there is none.
 *
 * @returns an error for an unreadable header, since the caller decides the message's outcome
 */
export const batchIn = (headers: Readonly<Headers>): BatchMark | UndecodableError | undefined =>
  batchOfText(headers[HEADER.batch]);

/** The same for the header's text. */
export function batchOfText(text: unknown): BatchMark | UndecodableError | undefined {
  if (text === undefined) return undefined;
  try {
    if (typeof text !== 'string') throw new Error('expected a string');
    return decodeMark(JSON.parse(text));
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    return new UndecodableError(
      `the message's batch can't be read: ${why}`,
      `Look at the header ${HEADER.batch} in the dead-letter queue, and upgrade this service if a newer Hopline wrote it.`,
    );
  }
}

function decodeMark(json: unknown): BatchMark {
  const { v, id, number, news, figures } = (json ?? {}) as Record<string, unknown>;
  if (v !== VERSION) throw new Error(`expected v to be ${VERSION}`);
  if (news === undefined) return decodePosition({ id, number });
  if (typeof id !== 'string' || id === '') throw new Error('expected id to be a non-empty string');
  const kind = KINDS.find((each) => each === news);
  if (!kind) throw new Error(`expected news to be one of ${KINDS.join(', ')}`);
  return { id, kind, counts: decodeCounts(figures) };
}

/** @throws Error for JSON that this module never writes */
export function decodePosition(json: unknown): BatchPosition {
  const { id, number } = (json ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '' || id.includes('\0'))
    throw new Error('expected id to be a non-empty string without NUL, which no store can hold');
  if (!Number.isSafeInteger(number) || Number(number) < 0 || Number(number) > MAX_NUMBER)
    throw new Error(`expected number to be an integer from 0 to ${MAX_NUMBER}`);
  return { id, number: Number(number) };
}

/** Largest number that stores can hold. */
const MAX_NUMBER = 2 ** 31 - 1;

const KINDS = ['then', 'catch', 'finally', 'progress'] as const satisfies WireNotification[];

function decodeCounts(json: unknown): BatchCounts {
  const { total, pending, done, failed, skipped, progress } = (json ?? {}) as Record<string, unknown>;
  const counts = { total, pending, done, failed, skipped, progress };
  const wrong = Object.entries(counts).find(([, count]) => !Number.isSafeInteger(count));
  if (wrong) throw new Error(`expected figures.${wrong[0]} to be an integer`);
  return counts as BatchCounts;
}
