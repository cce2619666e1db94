import { NameTakenError, NotUniqueError } from '../../errors.js';
import { isFinal } from '../../pipeline/errors/final-errors.js';
import type { Effect, EndedOtherwise } from '../../pipeline/outcome.js';
import type { Logger } from '../../util/logger.js';

/** A checked and serialized message that waits for the end of its attempt. */
export interface KeptMessage {
  /** Number of its call in the attempt. */
  readonly ordinal: number;
  readonly messageId: string;
  readonly routingKey: string;
  readonly bytes: number;
  /** Publishes it; resolves with the confirm. */
  leave(): Promise<unknown>;
}

/** Publishes what an attempt has kept, all of it written before the first confirm is awaited. */
export class Departure implements Effect {
  readonly what = 'what a handler has published';
  /** Those that are not confirmed yet, in the order of their calls. */
  private left: readonly KeptMessage[];

  constructor(
    messages: readonly KeptMessage[],
    private readonly log: Logger,
  ) {
    this.left =
      messages.length === 1 ? messages : messages.toSorted((one, other) => one.ordinal - other.ordinal);
  }

  get about(): object {
    const keys = [...new Set(this.left.map(({ routingKey }) => routingKey))];
    return keys.length === 1 ? { key: keys[0] } : { keys };
  }

  get isOwed(): boolean {
    return this.left.length > 0;
  }

  /** What is confirmed is not sent again, whatever becomes of the others. */
  async run(): Promise<void> {
    const { left } = this;
    const [first] = left;
    if (first && left.length === 1) {
      await this.publish(first);
      this.left = [];
      return;
    }
    const results = await Promise.allSettled(left.map(async (message) => this.publish(message)));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    this.left = left.filter((_message, index) => results[index]?.status === 'rejected');
    if (errors.length > 0) throw errors.find(isFinal) ?? errors[0];
  }

  /** Replayed, the message is handled again, and what was sent already is sent again under the same ids. */
  onError(error: unknown): EndedOtherwise | undefined {
    return isFinal(error) ? { kind: 'dead-letter', reason: 'publish-refused', error } : undefined;
  }

  private async publish(message: KeptMessage): Promise<void> {
    try {
      await message.leave();
    } catch (error) {
      if (!(error instanceof NotUniqueError || error instanceof NameTakenError)) throw error;
      const { routingKey: key, messageId: refused } = message;
      this.log.warn(
        { key, refused, holder: error.holder },
        'a message was not sent: another with its unique key, or its name, waits',
      );
    }
  }
}
