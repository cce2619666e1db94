import { KeyObject } from 'node:crypto';
import { type Check, having, objectWith, required } from '../util/check.js';

/** A secret key of 32 bytes. A KeyObject is safer: printing it does not show the key. */
export type Key = KeyObject | Uint8Array;

/** A key, and the id by which messages refer to it. */
export interface EncryptionKey {
  /**
   * Id of 1 to 40 characters: letters, digits, and `.`, `_`, `:`, `/`, `@`, `-`. It is written into each
   * message, and is not secret.
   */
  readonly id: string;
  readonly key: Key;
}

/**
 * Source of keys: the result of `staticKeys()`, or a vault. It is asked for each message, so it must cache the
 * keys; an answer without a promise costs the least. If it throws, or does not answer within 10 s, a publish
 * fails, and a received message is released.
 */
export interface KeyProvider {
  /** The key that encrypts new messages. */
  current(): EncryptionKey | Promise<EncryptionKey>;
  /** The key with this id; undefined if there is none. */
  find(id: string): Key | undefined | Promise<Key | undefined>;
}

/** Encryption of a bus. */
export interface EncryptionOptions {
  /** Source of keys: `staticKeys({ current, keys })`, or a provider of your own. */
  keys: KeyProvider;
}

export const encryptionOption = objectWith({
  keys: required(having('a provider of keys, as staticKeys() makes', 'current', 'find')),
});

/** AES-256. */
export const KEY_BYTES = 32;

/**
 * At most 40 characters, which is too short for a key of {@link KEY_BYTES} in any encoding: a key in place of
 * its id is refused.
 */
const KEY_ID = /^[\w.:/@-]{1,40}$/;

export const keyId: Check = {
  expected: 'an id of 1 to 40 letters, digits, and . _ : / @ -',
  accepts: (value) => typeof value === 'string' && KEY_ID.test(value),
};

export function isKey(value: unknown): value is Key {
  if (value instanceof KeyObject) return value.type === 'secret' && value.symmetricKeySize === KEY_BYTES;
  return value instanceof Uint8Array && value.length === KEY_BYTES;
}
