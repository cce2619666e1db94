import type { DeadLetterReason } from '../../events.js';
import type { Headers, MessageProperties } from '../../message/properties.js';
import type { EditedMark, TrashedMark } from './marks.js';

/** Summary of a dead letter: small enough that a long list fits into memory. */
export interface DeadLetterSummary {
  /**
   * The message's `messageId`. A message without one (only the broker dead-letters such messages) gets `anon-`
   * and a digest of its content, the same each time. The id names the message, not the copy: duplicates, and
   * copies that failed in several queues, share it, and are shown and acted on together.
   */
  readonly id: string;
  /** Queue in which the message failed. Undefined for a delayed send that no queue took when it was due. */
  readonly queue: string | undefined;
  /** Queue that holds the dead letter. */
  readonly deadQueue: string;
  /** Exchange of the publish. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly reason: DeadLetterReason;
  /**
   * `hopline` if its retry policy gave the message up, `broker` if a rule of the queue did; in the error queue of another framework, which
   * one did.
   */
  readonly by: 'hopline' | 'broker' | 'masstransit' | 'nservicebus' | 'spring';
  /** Name and message of the last error; undefined if the broker gave the message up, or nothing was thrown. */
  readonly error: string | undefined;
  /** Name of the handler that gave it up; undefined if none did, or the letter doesn't tell. */
  readonly handler: string | undefined;
  /** Version of the application whose worker gave it up, by the option `version` of its bus. */
  readonly version: string | undefined;
  /** Number of handler calls; undefined if they were not counted. */
  readonly attempts: number | undefined;
  readonly firstAttemptAt: Date | undefined;
  readonly failedAt: Date | undefined;
  readonly publishedAt: Date | undefined;
  /** Size of the body. */
  readonly bytes: number;
  /**
   * Id of the key with which the body is encrypted; undefined for a plain body, `unreadable` if the header
   * can't be read.
   */
  readonly encryptedWith: string | undefined;
}

/** Step of a chain: the chain's id and the step's number. */
export interface ChainPosition {
  /** The messageId of the chain's first step. */
  readonly id: string;
  /** Number of the step, starting at 1. */
  readonly number: number;
  /** Number of all steps, the earlier ones included. */
  readonly of: number;
  /** Routing keys of the later steps. */
  readonly rest: readonly string[];
  /** True if the step was handled: a replay only sends the next step. */
  readonly finished: boolean;
  /** For a failure step: routing key of the step that was given up. */
  readonly failed: string | undefined;
}

/** A dead letter: the message as it was published, and the circumstances of its failure. */
export interface DeadLetter extends DeadLetterSummary {
  readonly messageId: string | undefined;
  readonly stack: string | undefined;
  /** Number of throws by handlers. */
  readonly exceptions: number | undefined;
  readonly releases: number | undefined;
  /** Id of the replay that it came back from; undefined if it was no replay that is tried once. */
  readonly replay: string | undefined;
  /** The publisher's headers, without Hopline's and the broker's. */
  readonly headers: Headers;
  /** The publisher's properties, with `expiration` and `userId`. */
  readonly properties: Omit<MessageProperties, 'headers'>;
  /** Names of the publisher's headers that were left out on the way; see the header `hopline-dropped-headers`. */
  readonly droppedHeaders: string | undefined;
  /** Step of a chain; undefined outside a chain, or if the header can't be read. */
  readonly chain: ChainPosition | undefined;
  /** Value of the header `hopline-chain`: a replay keeps it, and so continues the chain. */
  readonly chainHeader: string | undefined;
  /** Job of a batch; undefined outside a batch, or if the header can't be read. */
  readonly batch: { readonly id: string; readonly number: number } | undefined;
  /** Value of the header `hopline-batch`: a replay keeps it, and so reports to its batch. */
  readonly batchHeader: string | undefined;
  /** Value of the header `hopline-job`: a replay keeps it, and so its job goes on. */
  readonly jobHeader: string | undefined;
  /** Value of the header `hopline-unique`: a replay keeps it. */
  readonly uniqueHeader: string | undefined;
  /** Value of the header `hopline-encrypted`: a replay keeps it. */
  readonly encryptedHeader: string | undefined;
  /** Who has edited the message before a retry; undefined if nobody has, or the header can't be read. */
  readonly edited: EditedMark | undefined;
  /** Value of the header `hopline-edited`: a replay keeps it. */
  readonly editedHeader: string | undefined;
  /** Who has forgotten the letter; undefined outside the trash. */
  readonly trashed: TrashedMark | undefined;
  /** Body as it was received; {@link Failures.decrypted} decrypts it. */
  readonly body: Buffer;
}
