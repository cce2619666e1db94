import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { after, isThenable } from '../util/after.js';
import type { Clock } from '../util/clock.js';
import { Deadline } from '../util/deadline.js';
import { formatMs } from '../util/duration.js';
import { type Bound, boundData, decodeEnvelope, encodeEnvelope, undecryptable } from './envelope.js';
import { KeysUnavailableError, UnknownKeyError } from './errors.js';
import { type EncryptionKey, isKey, type Key, type KeyProvider, keyId } from './key-provider.js';

/** Result of an encryption: the ciphertext, and the header that describes it. */
export interface Sealed {
  readonly body: Buffer;
  readonly header: string;
}

/** Result of a decryption: the plaintext, and its content type. */
export interface Opened {
  readonly body: Buffer;
  readonly contentType: string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Bytes that encryption adds to a body. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/** Deadline for a key: nothing waits without limit. */
const KEY_DEADLINE_MS = 10_000;

/** Encrypts and decrypts with the keys of a provider. A result is a promise only if the provider's answer is one. */
export class Encryption {
  constructor(
    private readonly keys: KeyProvider,
    private readonly clock: Clock,
  ) {}

  /** @throws KeysUnavailableError */
  seal(plain: Buffer, contentType: string, bound: Bound): Sealed | Promise<Sealed> {
    return after(
      this.ask(() => this.keys.current()),
      (key) => sealWith(checked(key), plain, contentType, bound),
    );
  }

  /**
   * @param header value of the message's header
   * @throws UnknownKeyError if the key does not exist; KeysUnavailableError if it can't be had now
   * @throws UndecodableError if the body was changed, or belongs to another message
   */
  open(body: Buffer, header: unknown, bound: Bound): Opened | Promise<Opened> {
    const envelope = decodeEnvelope(header);
    return after(
      this.ask(() => this.keys.find(envelope.keyId)),
      (key) => {
        if (key === undefined) throw new UnknownKeyError(envelope.keyId);
        if (!isKey(key))
          throw noKey(`it returned something other than a key of 32 bytes for '${envelope.keyId}'`);
        return {
          body: openWith(key, body, boundData(header as string, bound), envelope.keyId),
          contentType: envelope.contentType,
        };
      },
    );
  }

  private ask<T>(question: () => T | Promise<T>): T | Promise<T> {
    let answer: T | Promise<T>;
    try {
      answer = question();
    } catch (error) {
      throw noKey('it failed', error);
    }
    if (!isThenable(answer)) return answer;
    const asked = Promise.resolve(answer).catch((error) => {
      throw noKey('it failed', error);
    });
    const late = () => noKey(`it did not answer within ${formatMs(KEY_DEADLINE_MS)}`);
    return new Deadline(this.clock, KEY_DEADLINE_MS).race(asked, late);
  }
}

function checked(given: EncryptionKey): EncryptionKey {
  if (keyId.accepts(given?.id) && isKey(given.key)) return given;
  throw noKey(`expected its current key to be { id, key }, with a key of 32 bytes`);
}

function sealWith({ id, key }: EncryptionKey, plain: Buffer, contentType: string, bound: Bound): Sealed {
  const header = encodeEnvelope({ keyId: id, contentType });
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundData(header, bound));
  const inside = [cipher.update(plain), cipher.final()];
  return { body: Buffer.concat([nonce, ...inside, cipher.getAuthTag()]), header };
}

function openWith(key: Key, body: Buffer, data: Buffer, id: string): Buffer {
  if (body.length < SEAL_BYTES) throw undecryptable(`its body of ${body.length} bytes is too short`);
  const tagAt = body.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(data);
  decipher.setAuthTag(body.subarray(tagAt));
  const inside = decipher.update(body.subarray(NONCE_BYTES, tagAt));
  try {
    return Buffer.concat([inside, decipher.final()]);
  } catch {
    throw undecryptable(
      `key '${id}' does not decrypt it: this service has another key of that id, or body, header, messageId or routing key have changed since the publish`,
    );
  }
}

function noKey(why: string, cause?: unknown): KeysUnavailableError {
  return new KeysUnavailableError(why, { cause });
}
