import { UndecodableError } from '../errors.js';
import { type BatchMark, isJob, type NotificationMark } from '../message/wire/batch-header.js';
import { keyId } from './key-provider.js';

/*
 * The header `hopline-encrypted`, as JSON: a description of the body's encryption. The format is a promise: whoever
 * changes it incompatibly raises `v`. The body is nonce (12 bytes), ciphertext and tag (16 bytes).
 *
 * The additional authenticated data are the header's own text and the message's identity. Each text is a netstring
 * (https://cr.yp.to/proto/netstrings.txt), so that different lists of texts never give the same bytes:
 *
 *   the header, 'message', the messageId, the routing key    for a message outside chains and batches
 *   the header, 'chain', the chain's id, the routing key     for a step of a chain (its messageId is not known yet)
 *   the header, 'result', the chain's id, the step's number  for the result that a step gets from the previous one
 *   the header, 'batch', the batch's id, the notification, the routing key
 *                                                            for a batch's notification (its messageId is not known yet)
 *   the header, 'reply', the request's messageId, its routing key
 *                                                            for the reply to a request
 *   the header, 'state', the store's key: service, queue, handler, messageId
 *                                                            for the state of a resumable handler
 *
 * All of these stay the same through retries, delays, dead letters and replays. The exchange is not among them: it
 * changes with the lane, and when messages are moved to another broker.
 */

const VERSION = 1;
const ALGORITHM = 'A256GCM';

/** Content type of an encrypted body, so that other consumers see that they can't read it. */
export const ENCRYPTED_CONTENT_TYPE = 'application/octet-stream';

export interface Envelope {
  readonly keyId: string;
  /** Content type of the plaintext. */
  readonly contentType: string;
}

/** Identity of the message that a ciphertext is bound to: it can't be used in another message. */
export type Bound = readonly [
  kind: 'message' | 'chain' | 'result' | 'batch' | 'reply' | 'state',
  ...texts: string[],
];

/** Identity of a message, or of the chain or the batch that it belongs to. */
export interface Owner {
  readonly messageId?: string | undefined;
  readonly chainId?: string | undefined;
  readonly notification?: Pick<NotificationMark, 'id' | 'kind'> | undefined;
}

/**
 * Identity of a received message.
 *
 * @param chain the chain as far as it could be read; the same goes for `batch`
 */
export function ownerOf(
  messageId: string | undefined,
  chain: { readonly id: string } | Error | undefined,
  batch: BatchMark | Error | undefined,
): Owner {
  const chainId = chain instanceof Error ? undefined : chain?.id;
  const notification = batch === undefined || batch instanceof Error || isJob(batch) ? undefined : batch;
  return { messageId, chainId, notification };
}

/**
 * The binding of a message's body.
 *
 * @throws UndecodableError for a message without an id
 */
export function boundTo(routingKey: string, { messageId, chainId, notification }: Owner): Bound {
  if (notification !== undefined) return ['batch', notification.id, notification.kind, routingKey];
  if (chainId !== undefined) return ['chain', chainId, routingKey];
  if (messageId !== undefined) return ['message', messageId, routingKey];
  throw undecryptable('it has no messageId, to which its body would be bound');
}

export const boundToResult = (chainId: string, number: number): Bound => ['result', chainId, String(number)];

/** Bound to its request: a reply can't be taken for that to another, nor a request for its own reply. */
export const boundToReply = (requestId: string, routingKey: string): Bound => [
  'reply',
  requestId,
  routingKey,
];

/** @param key under which the store has the state */
export const boundToState = (key: string): Bound => ['state', key];

export function encodeEnvelope({ keyId: kid, contentType: type }: Envelope): string {
  return JSON.stringify({ v: VERSION, alg: ALGORITHM, kid, type });
}

/** @throws UndecodableError */
export function decodeEnvelope(text: unknown): Envelope {
  let given: unknown;
  try {
    given = JSON.parse(text as string);
  } catch {
    throw undecryptable('its header is not JSON');
  }
  if (typeof given !== 'object' || given === null) throw undecryptable('its header is not an object');
  const { v, alg, kid, type } = given as Record<string, unknown>;
  if (v !== VERSION || alg !== ALGORITHM)
    throw undecryptable(`expected v ${VERSION} and alg ${ALGORITHM} in its header`);
  if (!keyId.accepts(kid)) throw undecryptable(`expected kid in its header to be ${keyId.expected}`);
  if (typeof type !== 'string') throw undecryptable('expected type in its header to be a string');
  return { keyId: kid as string, contentType: type };
}

/** Id of the key with which a message is encrypted; undefined if it is plain, or its header can't be read. */
export function keyIdIn(header: unknown): string | undefined {
  return header === undefined ? undefined : readable(header)?.keyId;
}

/** Content type of the plaintext; undefined if the header can't be read. */
export const contentTypeInside = (header: unknown): string | undefined => readable(header)?.contentType;

function readable(header: unknown): Envelope | undefined {
  try {
    return decodeEnvelope(header);
  } catch {
    return undefined;
  }
}

/** Additional authenticated data of the cipher. */
export function boundData(header: string, bound: Bound): Buffer {
  const texts = [header, ...bound].map((text) => `${Buffer.byteLength(text)}:${text},`);
  return Buffer.from(texts.join(''));
}

export function undecryptable(why: string): UndecodableError {
  return new UndecodableError(
    `the message can't be decrypted: ${why}`,
    'Look at the header hopline-encrypted in the dead-letter queue, and fix the publisher; docs/encryption.md describes the header.',
  );
}
