/** How payloads become bytes. JSON is the default, and what other clients expect. */
export interface Serializer {
  /** Written into the `contentType` property. */
  readonly contentType: string;
  /** @throws InvalidMessageError if the payload can't be written, and says why */
  serialize(payload: unknown): Buffer;
  /**
   * @param contentType as received; undefined if the publisher gave none
   * @throws UndecodableError if this is not for it, or broken
   */
  deserialize(body: Buffer, contentType: string | undefined, contentEncoding: string | undefined): unknown;
}
