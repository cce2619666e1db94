import { HoplineError } from '../errors.js';

/**
 * A message is encrypted with a key that this service does not know. The message is released for the time of
 * `unhandledRetryFor`, and is then dead-lettered as `undecodable`.
 */
export class UnknownKeyError extends HoplineError {
  readonly code = 'HOPLINE_UNKNOWN_KEY';

  constructor(readonly keyId: string) {
    super(
      `the message is encrypted with key '${keyId}', which is not among the known keys`,
      "Add that key to the bus's encryption, then replay the dead letters. Give new keys to consumers before a publisher encrypts with them.",
    );
  }
}

/**
 * The provider of keys failed, did not answer in time, or returned something other than a key of 32 bytes. A
 * publish was not sent; a received message is released, which is not counted as a try.
 */
export class KeysUnavailableError extends HoplineError {
  readonly code = 'HOPLINE_KEYS_UNAVAILABLE';

  constructor(why: string, options?: { cause?: unknown }) {
    super(
      `the key provider failed: ${why}`,
      "Look at the error's cause, and check whether the service behind encryption.keys can be reached.",
      options,
    );
  }
}
