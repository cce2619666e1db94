import { UndecodableError } from '../errors.js';
import { type BatchMark, type BatchTidings, isPlace } from '../message/batch-header.js';
import { keyId } from './key-provider.js';

/*
 * The header `hopline-encrypted`: how a body is encrypted, as JSON. The format is a promise: `v` is raised by whoever
 * breaks it. The body is nonce (12 bytes), ciphertext and tag (16 bytes).
 *
 * Authenticated with the body, but not part of it, are the header's own text and what the message is; each of these texts as
 * a netstring (https://cr.yp.to/proto/netstrings.txt), so that no two lists of texts read the same:
 *
 *   the header, 'message', the messageId, the routing key    for a message of its own
 *   the header, 'chain', the chain's id, the routing key     for a step of a chain, whose messageId is not known before
 *   the header, 'result', the chain's id, the step's number  for what a step is passed by the one before
 *   the header, 'batch', the batch's id, what it is sent for, the routing key
 *                                                            for what is sent for a batch, whose messageId is not known before
 *
 * All of it stays as it is through retries, delays, dead letters and replays. The exchange does not: a lane's, and that of
 * a broker to which messages are moved, are others.
 */

const VERSION = 1;
const ALGORITHM = 'A256GCM';

/** What the body's own content type says, so that other consumers see that they can't read it. */
export const ENCRYPTED_CONTENT_TYPE = 'application/octet-stream';

export interface Envelope {
  readonly keyId: string;
  /** Of what is inside. */
  readonly contentType: string;
}

/** What a ciphertext belongs to, and can't be taken away from. */
export type Bound = readonly [kind: 'message' | 'chain' | 'result' | 'batch', ...texts: string[]];

/** Which message; or which chain if it is a step of one, or which batch if it is sent for one. */
export interface Owner {
  readonly messageId?: string | undefined;
  readonly chainId?: string | undefined;
  readonly news?: Pick<BatchTidings, 'id' | 'news'> | undefined;
}

/**
 * Whom the body of a message belongs to that has come.
 *
 * @param chain as far as it could be read, as is `batch`
 */
export function ownerOf(
  messageId: string | undefined,
  chain: { readonly id: string } | Error | undefined,
  batch: BatchMark | Error | undefined,
): Owner {
  const chainId = chain instanceof Error ? undefined : chain?.id;
  const news = batch === undefined || batch instanceof Error || isPlace(batch) ? undefined : batch;
  return { messageId, chainId, news };
}

/**
 * What a message's body is bound to.
 *
 * @throws UndecodableError for one without an id
 */
export function boundTo(routingKey: string, { messageId, chainId, news }: Owner): Bound {
  if (news !== undefined) return ['batch', news.id, news.news, routingKey];
  if (chainId !== undefined) return ['chain', chainId, routingKey];
  if (messageId !== undefined) return ['message', messageId, routingKey];
  throw undecryptable('it has no messageId, to which its body would be bound');
}

export const boundToResult = (chainId: string, number: number): Bound => ['result', chainId, String(number)];

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

/** The id of the key that a message is encrypted with; undefined if it isn't, or its header can't be read. */
export function keyIdIn(header: unknown): string | undefined {
  return header === undefined ? undefined : readable(header)?.keyId;
}

/** What an encrypted body is inside; undefined if its header can't be read. */
export const contentTypeInside = (header: unknown): string | undefined => readable(header)?.contentType;

function readable(header: unknown): Envelope | undefined {
  try {
    return decodeEnvelope(header);
  } catch {
    return undefined;
  }
}

/** The additional authenticated data. */
export function boundData(header: string, bound: Bound): Buffer {
  const texts = [header, ...bound].map((text) => `${Buffer.byteLength(text)}:${text},`);
  return Buffer.from(texts.join(''));
}

export function undecryptable(why: string): UndecodableError {
  return new UndecodableError(
    `the message can't be decrypted: ${why}`,
    'Look at the header hopline-encrypted in the dead-letter queue, and mend the publisher; docs/encryption.md says what it means.',
  );
}
