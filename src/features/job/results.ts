import type { Encryption } from '../../encryption/encryption.js';
import { boundToReply } from '../../encryption/envelope.js';
import { isSealed, SEALED } from '../../message/job-status.js';
import type { Received } from '../../pipeline/received.js';
import { JSON_CONTENT_TYPE } from '../../serialization/json.js';
import { after } from '../../util/after.js';
import { reasonText } from '../../util/text/error-text.js';
import { isEncrypted, opened } from '../encryption/decrypt.js';
import { storable } from './storable.js';

/*
 * The result of a job in its record: JSON text; that of an encrypted message is encrypted, too, with the header that describes that
 * before it. The format is a promise: older records are read by newer versions.
 */

/** Maximum size of a result, as JSON, in bytes. */
export const RESULT_BYTES = 65_536;

export interface KeptResult {
  readonly result?: string | undefined;
  /** Why it isn't kept. */
  readonly resultProblem?: string | undefined;
}

const NOTHING: KeptResult = {};

/** A result as it is kept; a promise only if a key has to be waited for, which rejects if it can't be had now. */
export function keptResult(
  value: unknown,
  received: Received,
  encryption: Encryption | undefined,
): KeptResult | Promise<KeptResult> {
  if (value === undefined) return NOTHING;
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    return { resultProblem: storable(`JSON can't hold it: ${reasonText(error)}`) };
  }
  if (json === undefined) return NOTHING;
  const bytes = Buffer.byteLength(json);
  if (bytes > RESULT_BYTES)
    return { resultProblem: `it takes ${bytes} bytes as JSON, and ${RESULT_BYTES} are kept` };
  const { messageId, routingKey } = received;
  if (!isEncrypted(received) || messageId === undefined) return { result: json };
  // What was encrypted was decrypted here.
  const { seal } = encryption as Encryption;
  return after(
    seal.call(encryption, Buffer.from(json), JSON_CONTENT_TYPE, boundToReply(messageId, routingKey)),
    ({ header, body }) => ({ result: `${SEALED}${JSON.stringify([header, body.toString('base64')])}` }),
  );
}

/** A result that was kept, and is not encrypted. */
export const plainResult = (kept: string | undefined): unknown =>
  kept === undefined ? undefined : JSON.parse(kept);

/**
 * A result that was kept.
 *
 * @throws UnknownKeyError, KeysUnavailableError, UndecodableError for an encrypted one
 */
export async function readResult(
  kept: string | undefined,
  job: { readonly id: string; readonly routingKey: string },
  encryption: Encryption | undefined,
): Promise<unknown> {
  if (kept === undefined || !isSealed(kept)) return plainResult(kept);
  const [header, body] = JSON.parse(kept.slice(SEALED.length));
  const plain = await opened(
    encryption,
    Buffer.from(body, 'base64'),
    header,
    boundToReply(job.id, job.routingKey),
  );
  return JSON.parse(plain.body.toString());
}
