import type { KeyProvider } from '../../encryption/key-provider.js';
import { type StaticKeysOptions, staticKeys } from '../../encryption/static-keys.js';
import { UsageError } from '../usage-error.js';
import { fileOf } from './broker.js';

export interface KeysFlags {
  readonly keys?: string;
}

/**
 * Reads the application's keys from a file or the environment:
 * `{ "current": "k2", "keys": { "k1": "base64", … } }`.
 *
 * @throws UsageError, OptionsError; neither shows what was read
 */
export function keysOf(
  { keys: file }: KeysFlags,
  { HOPLINE_KEYS }: NodeJS.ProcessEnv,
): KeyProvider | undefined {
  const text = file === undefined ? HOPLINE_KEYS : fileOf(file, '--keys', 'the keys as JSON');
  if (!text) return undefined;
  let given: StaticKeysOptions;
  try {
    given = JSON.parse(text) as StaticKeysOptions;
  } catch {
    // The parser's own message quotes the text, which holds keys.
    throw new UsageError(
      `the keys in ${file === undefined ? 'HOPLINE_KEYS' : 'the file of --keys'} are not JSON`,
      'Write them as {"current": "k2", "keys": {"k1": "32 bytes in base64", "k2": "…"}}',
    );
  }
  return staticKeys(given);
}
