import { HEADER } from '../headers.js';
import type { OutgoingMessage } from '../message.js';
import type { Headers, HeaderValue, MessageProperties } from '../properties.js';

/*
 * What a worker tells of a dead letter while somebody looks: its properties and Hopline's headers, without its body and the publisher's
 * headers. Best effort, and never instead of the letter: who hears it knows of the letter without reading the queue. The dead letters
 * themselves are not listened to: a second queue bound to their exchange would take them, and have them confirmed, when the queue that
 * keeps them has been deleted.
 */

/** Routing key under which notices leave, whoever has asked. */
export const NOTICES = 'dead-letters';

const VERSION = 1;
/** A chain's header may be larger: a notice without it is of a letter outside a chain, until the queue is read. */
const MOST_TEXT = 16_384;

export interface DeadLetterNotice {
  readonly deadQueue: string;
  /** Size of the letter's body. */
  readonly bytes: number;
  /** Those of the letter, as far as they are told. */
  readonly properties: MessageProperties & { readonly headers: Headers };
}

/** Names of the headers that are told; of the publisher's only that of the trace. */
const TOLD: ReadonlySet<string> = new Set([...Object.values(HEADER), 'traceparent']);

/** A notice of a dead letter that has been published. */
export function noticeOf(
  letter: OutgoingMessage,
  deadQueue: string,
): { readonly body: Buffer; readonly properties: Pick<MessageProperties, 'messageId' | 'headers'> } {
  const { messageId, correlationId, timestamp, headers = {} } = letter.properties;
  const told: Headers = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    if (TOLD.has(name) && isPlain(value)) told[name] = value;
  const content = { v: VERSION, deadQueue, bytes: letter.body.length, correlationId, timestamp };
  return {
    body: Buffer.from(JSON.stringify(content)),
    properties: { ...(messageId === undefined ? {} : { messageId }), headers: told },
  };
}

/** Undefined for a message of another form: any program may publish here. */
export function noticeIn(message: {
  readonly body: Buffer;
  readonly properties: MessageProperties;
}): DeadLetterNotice | undefined {
  let content: Record<string, unknown>;
  try {
    content = Object(JSON.parse(message.body.toString()));
  } catch {
    return undefined;
  }
  const { v, deadQueue, bytes, correlationId, timestamp } = content;
  const { messageId, headers = {} } = message.properties;
  if (
    v !== VERSION ||
    typeof deadQueue !== 'string' ||
    !Number.isSafeInteger(bytes) ||
    messageId === undefined
  )
    return undefined;
  const properties = {
    messageId,
    headers,
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    ...(Number.isSafeInteger(timestamp) ? { timestamp: timestamp as number } : {}),
  };
  return { deadQueue, bytes: bytes as number, properties };
}

function isPlain(value: HeaderValue): boolean {
  if (typeof value === 'string') return value.length <= MOST_TEXT;
  return typeof value === 'number' || typeof value === 'boolean';
}

/** An operator's request to all workers: notices of dead letters for so many milliseconds from now. Nobody answers. */
export const noticesFor = (forMs: number): Buffer =>
  Buffer.from(JSON.stringify({ version: 1, ask: 'dead-letters', forMs }));
