import type { DeadLetterReason } from '../events.js';
import type { Headers, MessageProperties } from '../message/message.js';

/** A dead letter in short: what a list holds of each, so that a long one fits into memory. */
export interface DeadLetterSummary {
  /**
   * The message's `messageId`; for one without (only the broker dead-letters such) `anon-` and a digest of what it is,
   * the same each time. It names the message, not the copy: duplicates, and copies that failed in several queues, share
   * it, and are shown and acted on together.
   */
  readonly id: string;
  /** The queue it failed in. Undefined for a delayed send that no queue took when it was due. */
  readonly queue: string | undefined;
  /** Where it lies. */
  readonly deadQueue: string;
  /** As it was published. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly reason: DeadLetterReason;
  /** Who gave it up: `hopline` after asking its retry policy, `broker` by the rules of the queue. */
  readonly by: 'hopline' | 'broker';
  /** Name and message of the last error; undefined if the broker gave it up, or nothing was thrown. */
  readonly error: string | undefined;
  /** Handler calls, as far as they were counted; undefined if nobody counted them. */
  readonly attempts: number | undefined;
  readonly firstAttemptAt: Date | undefined;
  readonly failedAt: Date | undefined;
  readonly publishedAt: Date | undefined;
  /** Of the body. */
  readonly bytes: number;
  /** Id of the key that its body is encrypted with; undefined if it is plain. `unreadable` if its header can't be read. */
  readonly encryptedWith: string | undefined;
}

/** Which step of which chain a message is. */
export interface ChainPlace {
  /** The messageId of the chain's first step. */
  readonly id: string;
  /** Its place, 1 for the first. */
  readonly number: number;
  /** How many steps there are, those before it included. */
  readonly of: number;
  /** Routing keys of the steps after it. */
  readonly rest: readonly string[];
  /** It was handled: a replay only sends the next step. */
  readonly finished: boolean;
  /** It is the failure step of the chain, for this step that was given up. */
  readonly failed: string | undefined;
}

/** A dead letter: the message as it was published, and what became of it. */
export interface DeadLetter extends DeadLetterSummary {
  readonly messageId: string | undefined;
  readonly stack: string | undefined;
  /** How often a handler threw. */
  readonly exceptions: number | undefined;
  readonly releases: number | undefined;
  /** The publisher's own: neither Hopline's nor the broker's. */
  readonly headers: Headers;
  /** The publisher's, `expiration` and `userId` among them. */
  readonly properties: Omit<MessageProperties, 'headers'>;
  /** Names of the publisher's headers that had to be left out on the way; see the header `hopline-dropped-headers`. */
  readonly droppedHeaders: string | undefined;
  /** The chain that it is a step of; undefined outside one, or if its header can't be read. */
  readonly chain: ChainPlace | undefined;
  /** The header `hopline-chain`, whole: a replay carries it on, and so goes on with the chain. */
  readonly chainHeader: string | undefined;
  /** The job of a batch that it is; undefined if it is none, or its header can't be read. */
  readonly batch: { readonly id: string; readonly number: number } | undefined;
  /** The header `hopline-batch`, whole: a replay carries it on, and so reports to its batch. */
  readonly batchHeader: string | undefined;
  /** The header `hopline-unique`: a replay carries it on. */
  readonly uniqueHeader: string | undefined;
  /** The header `hopline-encrypted`, whole: a replay carries it on. */
  readonly encryptedHeader: string | undefined;
  /** As it came: {@link Failures.decrypted} gives what is inside an encrypted one. */
  readonly body: Buffer;
}
