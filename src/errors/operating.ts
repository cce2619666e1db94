import { HoplineError } from './hopline-error.js';
import { PublishRejectedError, UnroutableError } from './publishing.js';

/** An id matches no dead letter, or is the prefix of several ids. */
export class DeadLetterIdError extends HoplineError {
  readonly code = 'HOPLINE_DEAD_LETTER_ID';

  constructor(
    readonly id: string,
    /** Ids that begin with the given prefix. */
    readonly candidates: readonly string[],
  ) {
    super(
      candidates.length === 0
        ? `no dead letter has the id '${id}'`
        : `${candidates.length} dead letters have an id that begins with '${id}'`,
      candidates.length === 0
        ? 'List the dead letters: it may have been replayed, be in another queue, or be held by another reader at the moment.'
        : `Give more of the id: ${candidates.slice(0, 3).join(', ')}${candidates.length > 3 ? ' …' : ''}`,
    );
  }
}

/**
 * Too many dead letters of a queue end each connection over which they are delivered: the others can't be
 * reached past them.
 */
export class UnreadableLettersError extends HoplineError {
  readonly code = 'HOPLINE_UNREADABLE_LETTERS';

  constructor(
    /** Queue that holds these dead letters. */
    readonly deadQueue: string,
    message: string,
    cause: Error,
  ) {
    super(
      message,
      `Delete all of them unread: hopline failed flush --queue ${deadQueue.replace(/\.dead$/, '')}. Or move the first ones to another queue inside the broker, with a policy of max-length, dead-letter-exchange "" and dead-letter-routing-key, and list again.`,
      { cause },
    );
  }
}

/** A batch is not in the store, takes no more jobs, or is dispatched with other jobs than before. */
export class BatchError extends HoplineError {
  readonly code = 'HOPLINE_BATCH';
}

/** What operators share can't be kept in the broker, or what is in its queue is something else. */
export class KeptDocumentError extends HoplineError {
  readonly code = 'HOPLINE_KEPT_DOCUMENT';

  constructor(
    /** Queue that keeps it. */
    readonly queue: string,
    message: string,
    help: string,
  ) {
    super(message, help);
  }
}

/** An operation was to begin on dead letters that another one works on. */
export class OperationConflictError extends HoplineError {
  readonly code = 'HOPLINE_OPERATION_CONFLICT';

  constructor(
    /** Id of the other one. */
    readonly operation: string,
    /** Queue of dead letters that both want. */
    readonly deadQueue: string,
    message: string,
  ) {
    super(
      message,
      `Wait until it is done, or stop it: hopline failed stop ${operation}. \`hopline failed operations\` shows how far it is.`,
    );
  }
}

/** The broker does not take an operator's request, so it does not reach the workers. */
export class ControlError extends HoplineError {
  readonly code = 'HOPLINE_CONTROL';

  constructor(cause: Error) {
    const isRefused = cause instanceof UnroutableError || cause instanceof PublishRejectedError;
    const help = isRefused
      ? "Check whether the exchange or queue that it names was deleted: the next worker that starts declares it again. Check the user's permissions, too."
      : 'Run `hopline doctor`: during a memory or disk alarm the broker takes no messages. SIGTERM and SIGHUP still reach the workers of `hopline work` on their own machine.';
    super(`the broker did not take the request: ${cause.message}`, help, { cause });
  }
}
