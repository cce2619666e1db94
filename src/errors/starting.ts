import { HoplineError } from './hopline-error.js';

/** Options are wrong. All problems are reported at once. */
export class OptionsError extends HoplineError {
  readonly code = 'HOPLINE_OPTIONS';

  /** @param problems sentences such as `expected retry.tries to be a positive integer, got "3"` */
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

/** A handler class can't be built: its container lacks a dependency, or nothing says what its constructor takes. */
export class HandlerResolutionError extends HoplineError {
  readonly code = 'HOPLINE_HANDLER_RESOLUTION';
}

/** `MessageContext` was injected into an object that is built outside a message. */
export class ContextOutsideMessageError extends HoplineError {
  readonly code = 'HOPLINE_CONTEXT_OUTSIDE_MESSAGE';

  /** @param help what to do in the container at hand */
  constructor(where?: string, help?: string) {
    super(
      `MessageContext was injected${where ? ` into ${where}` : ''} outside a message`,
      help ??
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

/** The bus was used after `stop()`, or `stop()` was called during the start. */
export class StoppedError extends HoplineError {
  readonly code = 'HOPLINE_STOPPED';

  constructor(what: string) {
    super(`${what} after the bus was stopped`, 'Make a new Bus: a stopped one does not start again.');
  }
}

/** A handler was added to a started bus, whose queues are declared already. */
export class AlreadyStartedError extends HoplineError {
  readonly code = 'HOPLINE_ALREADY_STARTED';

  constructor(what: string) {
    super(`${what} after the bus was started`, 'Add all handlers before bus.start().');
  }
}

/** No connection to the broker: it is down, does not answer, or refuses the credentials. */
export class ConnectError extends HoplineError {
  readonly code = 'HOPLINE_CONNECT';
}

/** The broker refuses an exchange, a queue or a binding. A retry without a change fails again. */
export class TopologyError extends HoplineError {
  readonly code = 'HOPLINE_TOPOLOGY';

  /** @param resource the refused object, such as `queue 'mailer.SendWelcomeEmail'` */
  constructor(
    readonly resource: string,
    message: string,
    help: string,
    options?: { cause?: unknown },
  ) {
    super(message, help, options);
  }
}

/** The loaded copy of the client library amqplib is not the version that Hopline is made for. */
export class ClientLibraryError extends HoplineError {
  readonly code = 'HOPLINE_CLIENT_LIBRARY';

  constructor(
    readonly wanted: string,
    readonly found: string,
  ) {
    super(
      `Hopline needs amqplib ${wanted}, but finds amqplib ${found}`,
      'Remove the overrides or resolutions that make the package manager install another version for Hopline, and install again. Other packages may have a version of their own.',
    );
  }
}
