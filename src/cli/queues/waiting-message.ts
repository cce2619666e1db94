import type { Encryption } from '../../encryption/encryption.js';
import { boundTo, keyIdIn, ownerOf } from '../../encryption/envelope.js';
import { HEADER, headersAsPublished } from '../../message/headers.js';
import { batchIn } from '../../message/wire/batch-header.js';
import { chainIn } from '../../message/wire/chain-header.js';
import { encodeHeaders } from '../../message/wire/header-codec.js';
import { publishedAtOf } from '../../message/wire/published-at.js';
import type { Names } from '../../topology/names.js';
import { dueOrigin, originIn } from '../../topology/origin.js';
import type { Browsed } from '../../transport/operator-session.js';

/** A message that waits in a work queue, as operators see it. */
export interface WaitingMessage {
  /** Its messageId; undefined if its publisher gave it none. */
  readonly id: string | undefined;
  /** Exchange and routing key of its publish. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly publishedAt: Date | undefined;
  /** Number of the attempt that is next. */
  readonly attempt: number;
  /** True if it was handed to a consumer before, or looked at. */
  readonly redelivered: boolean;
  /** Id of the key that it is encrypted with. */
  readonly encryptedWith: string | undefined;
  /** The publisher's properties. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** The publisher's headers, of JSON. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** Size of the body as it lies there. */
  readonly bytes: number;
  /** The body, decrypted where there are keys. */
  readonly body: Buffer;
  /** Why the body is still encrypted; undefined if it is not. */
  readonly sealed: string | undefined;
}

/** @param encryption the application's keys; without them an encrypted body stays as it is */
export async function waitingMessage(
  browsed: Browsed,
  names: Names,
  encryption: Encryption | undefined,
): Promise<WaitingMessage> {
  const { body, exchange, redelivered } = browsed;
  const { headers = {}, messageId, ...properties } = browsed.properties;
  const counts = names.carriesOrigin(exchange);
  const origin = (counts && (originIn(headers) ?? dueOrigin(browsed.routingKey))) || browsed;
  const publishedAt = publishedAtOf(browsed.properties);
  const attempt = counts ? headers[HEADER.attempt] : undefined;
  return {
    id: messageId,
    exchange: origin.exchange,
    routingKey: origin.routingKey,
    publishedAt: publishedAt === undefined ? undefined : new Date(publishedAt),
    attempt: Number.isSafeInteger(attempt) ? Number(attempt) : 1,
    redelivered,
    encryptedWith:
      headers[HEADER.encrypted] === undefined
        ? undefined
        : (keyIdIn(headers[HEADER.encrypted]) ?? 'unreadable'),
    properties: Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)),
    headers: encodeHeaders(headersAsPublished(headers)),
    bytes: body.length,
    ...(await opened(browsed, origin.routingKey, encryption)),
  };
}

async function opened(
  { body, properties }: Browsed,
  routingKey: string,
  encryption: Encryption | undefined,
): Promise<Pick<WaitingMessage, 'body' | 'sealed'>> {
  const { headers = {}, messageId } = properties;
  const header = headers[HEADER.encrypted];
  if (header === undefined) return { body, sealed: undefined };
  if (!encryption) return { body, sealed: '--keys FILE decrypts it' };
  try {
    const owner = ownerOf(messageId, chainIn(headers), batchIn(headers));
    return {
      body: (await encryption.open(body, header, boundTo(routingKey, owner))).body,
      sealed: undefined,
    };
  } catch (error) {
    return { body, sealed: (error as Error).message };
  }
}
