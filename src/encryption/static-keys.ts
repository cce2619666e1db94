import { createSecretKey, type KeyObject } from 'node:crypto';
import { OptionsError } from '../errors.js';
import { type Fields, isPlainObject, problemsOf, required } from '../util/check.js';
import { KEY_BYTES, type KeyProvider, keyId } from './key-provider.js';

/** Options of {@link staticKeys}. */
export interface StaticKeysOptions {
  /** Id of the key that encrypts new messages. */
  current: string;
  /** All known keys, by their ids: 32 bytes each, as bytes or in base64. */
  keys: Readonly<Record<string, Uint8Array | string>>;
}

const FIELDS: Fields = {
  current: required({ expected: 'the id of one of the keys', accepts: () => true }),
  keys: required({ expected: 'an object with a key for each id', accepts: isPlainObject }),
};

/**
 * Keys that are known when the process starts, from its environment or a file.
 *
 * @throws OptionsError with all problems at once, which shows no key
 */
export function staticKeys(options: StaticKeysOptions): KeyProvider {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', FIELDS)
    : ['expected the options to be an object such as { current, keys }'];
  const { current, keys } = (isPlainObject(options) ? options : {}) as Partial<StaticKeysOptions>;
  const all = isPlainObject(keys) ? secretKeys(keys, problems) : new Map<string, KeyObject>();
  const key = all.get(String(current));
  if (isPlainObject(keys) && !Object.hasOwn(keys, String(current)))
    problems.push('expected current to be the id of one of the keys');
  if (problems.length > 0 || !key) throw new OptionsError('staticKeys', problems);
  const now = { id: String(current), key };
  return { current: () => now, find: (id) => all.get(id) };
}

function secretKeys(keys: Readonly<Record<string, unknown>>, problems: string[]): Map<string, KeyObject> {
  const all = new Map<string, KeyObject>();
  for (const [index, [id, given]] of Object.entries(keys).entries()) {
    if (!keyId.accepts(id)) {
      // The name is not shown: it may be a key in the wrong place.
      problems.push(`expected the name of key ${index + 1} to be ${keyId.expected}`);
      continue;
    }
    const bytes = bytesOf(given);
    if (bytes?.length === KEY_BYTES) all.set(id, createSecretKey(bytes));
    else
      problems.push(
        `expected keys.${id} to be ${KEY_BYTES} bytes, or these in base64, got ${told(given, bytes)}`,
      );
  }
  return all;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function bytesOf(given: unknown): Uint8Array | undefined {
  if (given instanceof Uint8Array) return given;
  return typeof given === 'string' && BASE64.test(given.trim()) ? Buffer.from(given, 'base64') : undefined;
}

function told(given: unknown, bytes: Uint8Array | undefined): string {
  if (given === undefined) return 'undefined: is its environment variable set?';
  return bytes ? `${bytes.length} bytes` : 'something else';
}
