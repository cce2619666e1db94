import type { ReceivedMessage } from '../message/received-message.js';

/** How bodies become payloads. */
export interface Deserializer {
  /**
   * @param body decrypted, and with its content encodings undone as far as they are known. It is the message's own, which a
   *   retry sends again: don't change it, nor hand out a part of it that a handler may change
   * @param message what came with it; `contentEncoding` is what of that is not undone
   * @returns the payload, or a promise of it
   * @throws UndecodableError if this is not for it, or broken: the message is dead-lettered at once. Whatever else it throws is
   *   a failed attempt, and tried again
   */
  deserialize(body: Buffer, message: ReceivedMessage): unknown;
}

/** How payloads become bytes, and bytes payloads. JSON is the default, and what other clients expect. */
export interface Serializer extends Deserializer {
  /** Written into the `contentType` property. */
  readonly contentType: string;
  /** @throws InvalidMessageError if the payload can't be written, and says why */
  serialize(payload: unknown): Buffer;
}
