import { UndecodableError } from '../../errors.js';
import type { BatchFigures, BatchWord } from '../batch.js';
import { HEADER } from '../headers.js';
import type { Headers } from '../properties.js';

/*
 * The header `hopline-batch`, as JSON: the job of a batch that the message is, or the notification about a
 * batch that it carries. A step of a chain has it inside the chain's header, so that it goes on to the last
 * step. The format is a promise: whoever changes it incompatibly raises `v`.
 */

const VERSION = 1;

/** Job of a batch: the batch's id and the job's number. */
export interface BatchPlace {
  readonly id: string;
  readonly number: number;
}

/** Notification about a batch. */
export interface BatchTidings {
  readonly id: string;
  readonly news: BatchWord;
  readonly figures: BatchFigures;
}

export type BatchMark = BatchPlace | BatchTidings;

export const isPlace = (mark: BatchMark): mark is BatchPlace => 'number' in mark;

export const encodeMark = (mark: BatchMark): string => JSON.stringify({ v: VERSION, ...mark });

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

function decodeMark(given: unknown): BatchMark {
  const { v, news, figures, ...place } = (given ?? {}) as Record<string, unknown>;
  if (v !== VERSION) throw new Error(`expected v to be ${VERSION}`);
  if (news === undefined) return decodePlace(place);
  const { id } = place;
  if (typeof id !== 'string' || id === '') throw new Error('expected id to be a non-empty string');
  if (!NEWS.includes(news as string)) throw new Error(`expected news to be one of ${NEWS.join(', ')}`);
  return { id, news: news as BatchWord, figures: decodeFigures(figures) };
}

/** @throws Error for text that this module never writes */
export function decodePlace(given: unknown): BatchPlace {
  const { id, number } = (given ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '' || id.includes('\0'))
    throw new Error('expected id to be a non-empty string without NUL, which no store can hold');
  if (!Number.isSafeInteger(number) || Number(number) < 0 || Number(number) > MAX_NUMBER)
    throw new Error(`expected number to be an integer from 0 to ${MAX_NUMBER}`);
  return { id, number: Number(number) };
}

/** Largest number that stores can hold. */
const MAX_NUMBER = 2 ** 31 - 1;

const NEWS: readonly string[] = ['then', 'catch', 'finally', 'progress'] satisfies BatchWord[];

const FIGURES = ['total', 'pending', 'done', 'failed', 'skipped', 'progress'] as const;

function decodeFigures(given: unknown): BatchFigures {
  const figures = (given ?? {}) as Record<string, unknown>;
  const wrong = FIGURES.find((name) => !Number.isSafeInteger(figures[name]));
  if (wrong) throw new Error(`expected figures.${wrong} to be an integer`);
  return Object.fromEntries(FIGURES.map((name) => [name, figures[name]])) as unknown as BatchFigures;
}
