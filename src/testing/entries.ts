import type { DeadLetterReason } from '../events.js';
import type { Headers } from '../message/properties.js';
import { cutLine } from '../util/text/cut-text.js';
import { errorText } from '../util/text/error-text.js';

/*
 * The entries that a test kit records. An entry is plain data, made when the thing happens and never changed;
 * its payload is decoded from the bytes, so a handler that changes its payload does not change the entry.
 */

/** Fields of every entry about a message. */
export interface MessageEntry {
  /** Milliseconds of the kit's clock since the kit was made. */
  readonly at: number;
  /** Routing key of the publish, on every attempt. */
  readonly routingKey: string;
  /**
   * Payload as the bus's serializer reads it, whatever `body` the handler has; the body as text if it can't be
   * read.
   */
  readonly payload: unknown;
  readonly messageId: string | undefined;
}

/** A message that the broker took. */
export interface PublishedMessage extends MessageEntry {
  readonly kind: 'published';
  readonly exchange: string;
  readonly headers: Readonly<Headers>;
  readonly correlationId: string | undefined;
  /** Delay of the publish in milliseconds; 0 without one. */
  readonly delayMs: number;
  /** Publisher: `test` for the test, else the handler's name, or the service's name for code outside its handlers. */
  readonly by: string;
}

/** Fields of entries about one attempt. */
export interface AttemptEntry extends MessageEntry {
  /** Undefined if no handler matched. */
  readonly handler: string | undefined;
  readonly queue: string;
  readonly attempt: number;
}

/** An attempt that succeeded or discarded its message. */
export interface HandledMessage extends AttemptEntry {
  readonly kind: 'handled';
  readonly discarded: boolean;
}

/** An attempt that failed or was released, and whose message comes back. */
export interface RetriedMessage extends AttemptEntry {
  readonly kind: 'retried';
  readonly delayMs: number;
  /** True if the handler released the message: no failure, and not counted as a try. */
  readonly released: boolean;
  /** The value that the handler threw. */
  readonly error: unknown;
}

/** A message that is in its dead-letter queue. */
export interface DeadLetteredMessage extends AttemptEntry {
  readonly kind: 'dead-lettered';
  readonly reason: DeadLetterReason;
  /** The value that the handler threw; undefined if the broker itself gave the message up. */
  readonly error: unknown;
}

/** An injected fault, or a line of the bus's log. */
export interface NoteEntry {
  readonly kind: 'note';
  readonly at: number;
  readonly text: string;
}

export type Entry = PublishedMessage | HandledMessage | RetriedMessage | DeadLetteredMessage | NoteEntry;

/** One line for people: time, event, and handler or publisher. */
export function describeEntry(entry: Entry): string {
  return `+${moment(entry.at)} ${sentence(entry)}`;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** Exact, as `1m21s`. */
function moment(at: number): string {
  let left = Math.round(at);
  const parts = UNITS.map(([unit, ms]) => {
    const count = Math.floor(left / ms);
    left -= count * ms;
    return count > 0 ? `${count}${unit}` : '';
  });
  return parts.join('') || '0ms';
}

function sentence(entry: Entry): string {
  if (entry.kind === 'note') return entry.text;
  const message = `${entry.routingKey} ${shown(entry.payload)}`;
  if (entry.kind === 'published') {
    const delay = entry.delayMs > 0 ? `, due in ${moment(entry.delayMs)}` : '';
    return `${entry.by} published ${message}${delay}`;
  }
  const handler = entry.handler ?? `queue '${entry.queue}' (no handler)`;
  const attempt = entry.attempt > 1 ? `, attempt ${entry.attempt}` : '';
  switch (entry.kind) {
    case 'handled':
      return `${handler} ${entry.discarded ? 'discarded' : 'handled'} ${message}${attempt}`;
    case 'retried':
      return entry.released
        ? `${handler} released ${message}${attempt}: again in ${moment(entry.delayMs)}`
        : `${handler} failed ${message}${attempt} (${errorLine(entry.error)}): again in ${moment(entry.delayMs)}`;
    case 'dead-lettered':
      return `${handler} dead-lettered ${message}${attempt} as ${entry.reason}${entry.error === undefined ? '' : ` (${errorLine(entry.error)})`}`;
  }
}

export function errorLine(error: unknown): string {
  return cut(errorText(error).split('\n', 1)[0] as string);
}

/** A test's own payloads may be shown, shortened. */
function shown(value: unknown): string {
  try {
    return cut(JSON.stringify(value) ?? String(value));
  } catch {
    return `(${typeof value})`;
  }
}

const cut = (text: string): string => cutLine(text, 120);
