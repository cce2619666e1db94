import type { ReceivedMessage } from '../message/received-message.js';

/** Conversion of bodies to payloads. */
export interface Deserializer {
  /**
   * Converts a body to a payload.
   *
   * @param body decrypted, and with all known content encodings undone. These are the message's own bytes,
   * which a retry sends again: don't change them, and don't pass on a part that a handler may change
   * @param message properties and headers of the message; `contentEncoding` holds the encodings that were not
   * undone
   * @returns the payload, or a promise of it
   * @throws UndecodableError if the body can't be read: the message is dead-lettered at once. Any other error
   * is a failed attempt, and is retried
   */
  deserialize(body: Buffer, message: ReceivedMessage): unknown;
}

/** Conversion of payloads to bytes, and back. The default is JSON, which other clients expect. */
export interface Serializer extends Deserializer {
  /** Value of the `contentType` property. */
  readonly contentType: string;
  /** @throws InvalidMessageError with the reason, if the payload can't be written */
  serialize(payload: unknown): Buffer;
}
