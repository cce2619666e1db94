import { shortPlainText } from '../../util/check.js';
import { HEADER } from '../headers.js';
import type { Headers } from '../properties.js';

/*
 * The header `hopline-job`, as JSON: it says that the message has a record in the store of jobs, under its messageId. The format is a
 * promise: whoever changes it incompatibly raises `v`.
 */

const VERSION = 1;

/** Mark of a message that has a record. */
export interface JobMark {
  /** Number of the sending, among those of the job. */
  readonly version: number;
  /** Queue in which the sender's process hears of the job's end; undefined if it doesn't listen. */
  readonly address: string | undefined;
}

/** Highest number of a sending: every store can hold it. */
const MOST_SENDINGS = 2_147_483_647;

/** Longest text that is read: a mark is shorter. */
const MOST_LENGTH = 400;

/** The header's text. */
export const encodeJob = ({ version, address }: JobMark): string =>
  JSON.stringify({ v: VERSION, n: version, to: address });

/**
 * Undefined for a message without the mark, or with one that can't be read, or whose id no store can hold: it is then a message like
 * others, and its record expires by itself.
 */
export function jobIn(headers: Readonly<Headers>, messageId: string | undefined): JobMark | undefined {
  const written = headers[HEADER.job];
  if (typeof written !== 'string' || written.length > MOST_LENGTH) return undefined;
  try {
    const { v, n, to } = (JSON.parse(written) ?? {}) as Record<string, unknown>;
    if (v !== VERSION || !Number.isInteger(n) || Number(n) < 1 || Number(n) > MOST_SENDINGS) return undefined;
    if (!shortPlainText.accepts(messageId)) return undefined;
    return { version: Number(n), address: typeof to === 'string' && to !== '' ? to : undefined };
  } catch {
    return undefined;
  }
}
