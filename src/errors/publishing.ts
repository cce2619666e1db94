import { HoplineError } from './hopline-error.js';

/** The message can't be published as it is: a routing key, a header, a delay or an option is wrong. Nothing was sent. */
export class InvalidMessageError extends HoplineError {
  readonly code = 'HOPLINE_INVALID_MESSAGE';
}

/** The message is larger than its cap. Nothing was sent. */
export class MessageTooLargeError extends HoplineError {
  readonly code = 'HOPLINE_MESSAGE_TOO_LARGE';
}

/** A payload that its message definition's schema refuses: at the publisher nothing was sent, at the consumer the
 * message is dead-lettered as `invalid`. */
export class PayloadInvalidError extends HoplineError {
  readonly code = 'HOPLINE_PAYLOAD_INVALID';

  /** @param issues path and reason of each finding, without values */
  constructor(
    readonly definition: string,
    readonly issues: readonly { readonly path: string; readonly message: string }[],
  ) {
    super(
      `payload of '${definition}' is invalid: ${issues.map(({ path, message }) => `${path || '(root)'}: ${message}`).join('; ')}`,
      "Make the payload fit the definition's schema, or change the schema on both sides.",
    );
  }

  /** The same for a payload that is a secret: of the reasons, which a library words as it likes, nothing. */
  withoutReasons(): PayloadInvalidError {
    const message = 'refused by the schema';
    return new PayloadInvalidError(
      this.definition,
      this.issues.map(({ path }) => ({ path, message })),
    );
  }
}

/** A `send` that no queue takes. */
export class UnroutableError extends HoplineError {
  readonly code = 'HOPLINE_UNROUTABLE';

  constructor(
    readonly exchange: string,
    readonly routingKey: string,
    readonly messageId: string | undefined,
  ) {
    super(
      `no queue takes '${routingKey}' on exchange '${exchange}'`,
      'Start the service that handles it once, so that its queue and bindings exist; or use publish(), which allows zero takers.',
    );
  }
}

/** The broker refused the message (nack) again and again: a queue is full or has no leader. At least one of its queues has not stored it. */
export class PublishRejectedError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_REJECTED';
}

/** The deadline passed while the message waited to be written: it was never sent, so publishing it again is safe. */
export class PublishTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_TIMEOUT';
}

/** The message was written, but the deadline passed without a confirm: the broker may have it or not. */
export class OutcomeUnknownError extends HoplineError {
  readonly code = 'HOPLINE_OUTCOME_UNKNOWN';

  constructor(
    readonly messageId: string | undefined,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(
      message,
      'Publish it again with the same messageId; consumers that know the id can tell a duplicate.',
      options,
    );
  }
}

/** A unique message was not sent: another with its key waits, or is handled just now. */
export class NotUniqueError extends HoplineError {
  readonly code = 'HOPLINE_NOT_UNIQUE';

  constructor(
    readonly routingKey: string,
    /** What makes it unique. */
    readonly key: string,
    /** The messageId of the other. */
    readonly holder: string,
  ) {
    super(
      `another message '${routingKey}' with the same unique key waits or is handled: ${holder}`,
      'Nothing to do if the other one does the work. Sending again under its messageId is no other message, and is not refused.',
    );
  }
}

/** One of many messages that was not published. */
export interface PublishManyFailure {
  /** Its place in what was given, from 0. */
  readonly index: number;
  /** What its own publish would have thrown. */
  readonly error: Error;
}

/** Of many messages some were not published. The others are confirmed. */
export class PublishManyError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_MANY';

  /**
   * @param total how many were given
   * @param failures in the order of what was given
   */
  constructor(
    routingKey: string,
    readonly total: number,
    readonly failures: readonly PublishManyFailure[],
  ) {
    const [first] = failures;
    super(
      `${failures.length} of ${total} messages '${routingKey}' were not published; the first is number ${first?.index}: ${first?.error.message}`,
      "Look at each of the error's failures: it has the place of the message and its own error. The others are confirmed; don't publish them again.",
      { cause: first?.error },
    );
  }
}
