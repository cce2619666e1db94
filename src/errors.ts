/**
 * Every error that Hopline throws or rejects with, but for those in testing/errors.ts and encryption/errors.ts. The class says what the caller can do about it, `code` is stable
 * and made for programs, `help` says what to do. No message holds a credential or a payload's values.
 */
export abstract class HoplineError extends Error {
  /** Stable across versions; what programs compare. */
  abstract readonly code: string;
  /** What to do about it, as a sentence. */
  readonly help: string;

  constructor(message: string, help: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.help = help;
  }
}

// --- before anything runs -------------------------------------------------------------------------------------------

/** Options that can't work. All problems are reported at once. */
export class OptionsError extends HoplineError {
  readonly code = 'HOPLINE_OPTIONS';

  /** @param problems each one a sentence such as `expected retry.tries to be a positive integer, got "3"` */
  constructor(
    what: string,
    readonly problems: readonly string[],
  ) {
    super(
      problems.length === 1
        ? `${what}: ${problems[0]}`
        : `${what}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
      'Correct the options named above.',
    );
  }
}

/** A handler class can't be built: its container lacks something, or the class has no parameter metadata. */
export class HandlerResolutionError extends HoplineError {
  readonly code = 'HOPLINE_HANDLER_RESOLUTION';
}

/** `MessageContext` was injected into something that is built outside a message. */
export class ContextOutsideMessageError extends HoplineError {
  readonly code = 'HOPLINE_CONTEXT_OUTSIDE_MESSAGE';

  constructor(where?: string) {
    super(
      `MessageContext was injected${where ? ` into ${where}` : ''} outside a message`,
      "Build the class for each message with @Handles(key, { scope: 'message' }), or take the context as handle()'s second argument.",
    );
  }
}

/** The bus was used before `start()`. */
export class NotStartedError extends HoplineError {
  readonly code = 'HOPLINE_NOT_STARTED';

  constructor(what: string) {
    super(`${what} before the bus was started`, 'Await bus.start() first.');
  }
}

/** The bus was used after `stop()`, or that was called while it started. */
export class StoppedError extends HoplineError {
  readonly code = 'HOPLINE_STOPPED';

  constructor(what: string) {
    super(`${what} after the bus was stopped`, 'Make a new Bus: a stopped one does not start again.');
  }
}

/** A handler was added to a bus that has started: its queues are declared already. */
export class AlreadyStartedError extends HoplineError {
  readonly code = 'HOPLINE_ALREADY_STARTED';

  constructor(what: string) {
    super(`${what} after the bus was started`, 'Add all handlers before bus.start().');
  }
}

/** No connection to the broker: it is down, mute, or refuses the credentials. */
export class ConnectError extends HoplineError {
  readonly code = 'HOPLINE_CONNECT';
}

/** The broker refuses an exchange, a queue or a binding. Fatal: trying again changes nothing. */
export class TopologyError extends HoplineError {
  readonly code = 'HOPLINE_TOPOLOGY';

  /** @param resource what was refused, as `queue 'mailer.SendWelcomeEmail'` */
  constructor(
    readonly resource: string,
    message: string,
    help: string,
    options?: { cause?: unknown },
  ) {
    super(message, help, options);
  }
}

// --- publishing -----------------------------------------------------------------------------------------------------

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

  /** @param failures in the order of what was given */
  constructor(
    routingKey: string,
    total: number,
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

// --- handling -------------------------------------------------------------------------------------------------------

/** A message whose body can't be decoded: not JSON, not UTF-8, an unknown content type, too large. Never retried. */
export class UndecodableError extends HoplineError {
  readonly code = 'HOPLINE_UNDECODABLE';
}

/** No handler of the queue matches the message's routing key. */
export class NoHandlerError extends HoplineError {
  readonly code = 'HOPLINE_NO_HANDLER';

  constructor(queue: string, routingKey: string) {
    super(
      `no handler of queue '${queue}' matches '${routingKey}'`,
      'An older version runs beside a newer one, or a binding is left over: finish the deployment, or prune the topology.',
    );
  }
}

/** Throw it from a handler when trying again can't help: the message is dead-lettered at once as `unrecoverable`. */
export class UnrecoverableError extends HoplineError {
  readonly code = 'HOPLINE_UNRECOVERABLE';

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'Find out why the handler gave this message up before you replay it.', options);
  }
}

/** `context.once` of a message without an id: nothing would know it again. */
export class NoMessageIdError extends HoplineError {
  readonly code = 'HOPLINE_NO_MESSAGE_ID';

  constructor(what: string) {
    super(
      `${what}: its message has no id`,
      'Publish it with a messageId. Another attempt of it has one: what Hopline publishes again gets one.',
    );
  }
}

/** A handler ran longer than its timeout. The reason of `context.signal`, and the failure of the attempt. */
export class HandlerTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_HANDLER_TIMEOUT';

  constructor(handler: string, timeout: string) {
    super(
      `handler ${handler} did not finish within ${timeout}`,
      'Pass context.signal to what it waits for, raise its timeout, or split the work.',
    );
  }
}

/** The reason of `context.signal` when the bus stops and the handler's time is up. */
export class ShutdownError extends HoplineError {
  readonly code = 'HOPLINE_SHUTDOWN';

  constructor() {
    super('the bus is stopping', 'Return soon: the message will be delivered again to another worker.');
  }
}

/** The reason of `context.signal` when the channel that delivered is gone: the message will be delivered again. */
export class ChannelLostError extends HoplineError {
  readonly code = 'HOPLINE_CHANNEL_LOST';

  constructor(queue: string, options?: { cause?: unknown }) {
    super(
      `the channel that delivered from '${queue}' is lost`,
      'Nothing to do: the broker delivers the message again; make the handler idempotent.',
      options,
    );
  }
}

/** The reason of `context.signal` when an operator has cancelled the message: it is dead-lettered as `cancelled` if the handler throws. */
export class CancelledError extends HoplineError {
  readonly code = 'HOPLINE_CANCELLED';

  constructor() {
    super(
      'an operator has cancelled this message',
      'Return or throw soon; replay it from the dead letters if it was a mistake.',
    );
  }
}

/** `stop()` had to leave work behind at its deadline: what was not settled will be delivered again. */
export class StopDeadlineError extends HoplineError {
  readonly code = 'HOPLINE_STOP_DEADLINE';
}

// --- dead letters ---------------------------------------------------------------------------------------------------

/** An id that names no dead letter, or the beginning of several ids. */
export class DeadLetterIdError extends HoplineError {
  readonly code = 'HOPLINE_DEAD_LETTER_ID';

  constructor(
    readonly id: string,
    /** The ids that begin with it. */
    readonly candidates: readonly string[],
  ) {
    super(
      candidates.length === 0
        ? `no dead letter has the id '${id}'`
        : `${candidates.length} dead letters have an id that begins with '${id}'`,
      candidates.length === 0
        ? 'List them: it may be replayed already, lie in another queue, or be held by somebody who looks at it just now.'
        : `Give more of the id: ${candidates.slice(0, 3).join(', ')}${candidates.length > 3 ? ' …' : ''}`,
    );
  }
}

// --- batches --------------------------------------------------------------------------------------------------------

/** A batch that is not in the store, takes no more jobs, or is dispatched with others than before. */
export class BatchError extends HoplineError {
  readonly code = 'HOPLINE_BATCH';
}

// --- operating ------------------------------------------------------------------------------------------------------

/** What an operator says can't reach the workers: the broker does not take it. */
export class ControlError extends HoplineError {
  readonly code = 'HOPLINE_CONTROL';

  constructor(cause: Error) {
    const isRefused = cause instanceof UnroutableError || cause instanceof PublishRejectedError;
    const help = isRefused
      ? 'Look whether the exchange or queue that it names was deleted: the next worker that starts declares it again. Look at the rights of the user, too.'
      : 'In a memory or disk alarm it takes no messages, and none of these: look with hopline doctor. SIGTERM and SIGHUP reach the workers of hopline work on their own machine.';
    super(`the broker did not take the request: ${cause.message}`, help, { cause });
  }
}

// --- stores ---------------------------------------------------------------------------------------------------------

/** A store's table is not in the database. */
export class StoreNotMigratedError extends HoplineError {
  readonly code = 'HOPLINE_STORE_NOT_MIGRATED';

  /** @param table as SQL writes it */
  constructor(table: string, schema: string, options?: { cause?: unknown }) {
    super(
      `the table ${table} is not in the database`,
      `Run \`hopline stores migrate${schema === 'hopline' ? '' : ` --schema ${schema}`}\` on it, then deploy.`,
      options,
    );
  }
}

/** A store did not answer in time. What was asked of it may happen yet. */
export class StoreTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_STORE_TIMEOUT';
}

/** A handler has asked for its transaction where there is none: it has no inbox, or the transaction is over. */
export class NoTransactionError extends HoplineError {
  readonly code = 'HOPLINE_NO_TRANSACTION';
}

/** No connection to the database of a store: it is down, or refuses the credentials. Only commands connect to one. */
export class StoreConnectError extends HoplineError {
  readonly code = 'HOPLINE_STORE_CONNECT';
}

/** A schema can't be migrated: a right is missing, or a newer version has migrated it. Nothing of it was changed. */
export class MigrationError extends HoplineError {
  readonly code = 'HOPLINE_MIGRATION';
}
