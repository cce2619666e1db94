import { KeyObject } from 'node:crypto';
import { type Check, having, objectWith, required } from '../util/check.js';

/** A secret key of 32 bytes; as a KeyObject nothing that prints it shows it. */
export type Key = KeyObject | Uint8Array;

/** A key, and what messages call it that are encrypted with it. */
export interface EncryptionKey {
  /** 1 to 40 letters, digits, and `.`, `_`, `:`, `/`, `@`, `-`. It is written into each message, and is no secret. */
  readonly id: string;
  readonly key: Key;
}

/**
 * Where keys come from: what `staticKeys()` makes, or a vault. Asked for each message, so it keeps what it has fetched;
 * an answer without a promise costs the least. What it throws, and an answer that takes 10 s, means that no key can be had
 * now: a publish fails, and a message comes back later.
 */
export interface KeyProvider {
  /** What is encrypted with from now on. */
  current(): EncryptionKey | Promise<EncryptionKey>;
  /** The key with this id; undefined if there is none. */
  find(id: string): Key | undefined | Promise<Key | undefined>;
}

/** How a bus encrypts and decrypts. */
export interface EncryptionOptions {
  /** `staticKeys({ current, keys })`, or a provider of one's own. */
  keys: KeyProvider;
}

export const encryptionOption = objectWith({
  keys: required(having('a provider of keys, as staticKeys() makes', 'current', 'find')),
});

/** AES-256. */
export const KEY_BYTES = 32;

/** Too short for a key of {@link KEY_BYTES}, in whatever form: one that is given in an id's place is not taken for one. */
const KEY_ID = /^[\w.:/@-]{1,40}$/;

export const keyId: Check = {
  expected: 'an id of 1 to 40 letters, digits, and . _ : / @ -',
  accepts: (value) => typeof value === 'string' && KEY_ID.test(value),
};

export function isKey(value: unknown): value is Key {
  if (value instanceof KeyObject) return value.type === 'secret' && value.symmetricKeySize === KEY_BYTES;
  return value instanceof Uint8Array && value.length === KEY_BYTES;
}
