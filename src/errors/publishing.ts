import { HoplineError } from './hopline-error.js';

/** A message can't be published as it is: a routing key, a header, a delay or an option is wrong. Nothing was sent. */
export class InvalidMessageError extends HoplineError {
  readonly code = 'HOPLINE_INVALID_MESSAGE';
}

/** A message is larger than the limit. Nothing was sent. */
export class MessageTooLargeError extends HoplineError {
  readonly code = 'HOPLINE_MESSAGE_TOO_LARGE';
}

/**
 * The schema of a message definition refuses a payload. At the publisher nothing was sent; at the consumer the
 * message is dead-lettered as `invalid`.
 */
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

  /** A copy without the reasons, for a payload that is secret: a schema library may quote values in them. */
  withoutReasons(): PayloadInvalidError {
    const message = 'refused by the schema';
    return new PayloadInvalidError(
      this.definition,
      this.issues.map(({ path }) => ({ path, message })),
    );
  }
}

/** No queue takes a message that was sent with `send`. */
export class UnroutableError extends HoplineError {
  readonly code = 'HOPLINE_UNROUTABLE';

  constructor(
    readonly exchange: string,
    readonly routingKey: string,
    readonly messageId: string | undefined,
  ) {
    super(
      `no queue takes '${routingKey}' on exchange '${exchange}'`,
      'Start the service that handles it once, so that its queue and bindings exist; or use publish(), which needs no queue.',
    );
  }
}

/**
 * The broker refused a message (nack) again and again: a queue is full or has no leader. At least one of the
 * message's queues has not stored it.
 */
export class PublishRejectedError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_REJECTED';
}

/** The deadline passed while a message waited to be written: it was never sent, so publishing it again is safe. */
export class PublishTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_TIMEOUT';
}

/** A message was written, but the deadline passed without a confirm: the broker may or may not have it. */
export class OutcomeUnknownError extends HoplineError {
  readonly code = 'HOPLINE_OUTCOME_UNKNOWN';

  constructor(
    readonly messageId: string | undefined,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(
      message,
      'Publish the message again with the same messageId: consumers that remember ids recognise a duplicate.',
      options,
    );
  }
}

/** A unique message was not sent: another message with the same key waits or is being handled. */
export class NotUniqueError extends HoplineError {
  readonly code = 'HOPLINE_NOT_UNIQUE';

  constructor(
    readonly routingKey: string,
    /** Key of the message. */
    readonly key: string,
    /** The messageId of the message that holds the key. */
    readonly holder: string,
  ) {
    super(
      `another message '${routingKey}' with the same unique key waits or is handled: ${holder}`,
      'Nothing to do if the other message does the work. To repeat its send, use its messageId: that is not refused.',
    );
  }
}

/**
 * A handler with `publishes: 'after'` can't keep what it publishes until its attempt has succeeded: its attempt has published too
 * much, or it is a handler of many that has used an injected `Publisher`. The call published nothing.
 */
export class PublishNotKeptError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_NOT_KEPT';
}

/** One payload of `publishMany` or `sendMany` that was not published. */
export interface PublishManyFailure {
  /** Index of the payload in the input, starting at 0. */
  readonly index: number;
  /** Error that a publish of this payload alone would have thrown. */
  readonly error: Error;
}

/** Some of many messages were not published. The others are confirmed. */
export class PublishManyError extends HoplineError {
  readonly code = 'HOPLINE_PUBLISH_MANY';
  /** In the order of the input. */
  readonly failures: readonly PublishManyFailure[];

  /**
   * @param total number of payloads in the input
   * @param failures in any order
   */
  constructor(
    routingKey: string,
    readonly total: number,
    failures: readonly PublishManyFailure[],
  ) {
    const sorted = failures.toSorted((left, right) => left.index - right.index);
    const [first] = sorted;
    super(
      `${failures.length} of ${total} messages '${routingKey}' were not published; the first is at index ${first?.index}: ${first?.error.message}`,
      "Look at error.failures: each has the index of the payload and its error. The others are confirmed; don't publish them again.",
      { cause: first?.error },
    );
    this.failures = sorted;
  }
}
