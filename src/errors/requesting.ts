import { HoplineError } from './hopline-error.js';

/** A request found nobody to answer it: no queue takes its key, or the queue that did is gone with its last consumer. It was not handled. */
export class NoResponderError extends HoplineError {
  readonly code = 'HOPLINE_NO_RESPONDER';

  constructor(
    readonly exchange: string,
    readonly routingKey: string,
  ) {
    super(
      `nobody answers '${routingKey}' on exchange '${exchange}': no queue takes it`,
      'Start the service that answers it; or correct the key, or the exchange.',
    );
  }
}

/**
 * No reply came in time. A request that was sent may have been handled, and may still be: it leaves its queue when its time is over.
 */
export class RequestTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_REQUEST_TIMEOUT';

  constructor(
    readonly routingKey: string,
    readonly timeoutMs: number,
    /** False if it was never sent: then nobody has handled it. */
    readonly wasSent: boolean,
    /** What kept the request, or its reply, from coming; undefined if that isn't known. */
    why: string | undefined,
  ) {
    super(
      `no reply to '${routingKey}' within ${timeoutMs} ms${wasSent ? '' : ', it was not sent'}${why === undefined ? '' : `: ${why}`}`,
      wasSent
        ? 'Look whether its responder runs and keeps up (hopline top), or give the request a longer timeout.'
        : 'Ask again when the broker takes requests: nobody has handled this one.',
    );
  }
}

/** The channel was lost to which the reply would have come, and the cause says why. The request may have been handled. */
export class RequestLostError extends HoplineError {
  readonly code = 'HOPLINE_REQUEST_LOST';

  constructor(
    readonly routingKey: string,
    options: { readonly cause: unknown },
  ) {
    super(
      `the channel was lost to which the reply to '${routingKey}' would have come`,
      'Ask again if handling it twice does no harm; repeatable: true does so by itself.',
      options,
    );
  }
}

/** The responder has failed: its handler threw, or it could not read the request. */
export class ResponderError extends HoplineError {
  readonly code = 'HOPLINE_RESPONDER';

  constructor(
    readonly routingKey: string,
    /** The error as its responder named it. */
    readonly remote: RemoteFailure,
  ) {
    super(
      `the responder of '${routingKey}' failed: ${remote.code}: ${remote.message}`,
      'Look at the code, which the responder gives, and at the log of its service.',
    );
  }
}

/**
 * A request came a second time: the process that had it died, or lost its connection, and may have handled it. It was not run again.
 */
export class RequestRedeliveredError extends HoplineError {
  readonly code = 'HOPLINE_REQUEST_REDELIVERED';

  constructor(handler: string) {
    super(
      `'${handler}' did not run: the request was delivered before, and may have been handled`,
      'Ask again if handling it twice does no harm. A responder for which it never does says repeatable: true.',
    );
  }
}

/** A responder has not handled a request: it discarded it, or can't handle it now. */
export class RequestDroppedError extends HoplineError {
  readonly code = 'HOPLINE_REQUEST_DROPPED';

  /** @param why as a clause */
  constructor(why: string) {
    super(`the request was dropped: ${why}`, 'Look at the log of the responder; ask again if it may pass.');
  }
}

/** A failure of a responder, as it travels. */
export interface RemoteFailure {
  /** The `code` of the error that was thrown, if that is a text; else its name. */
  readonly code: string;
  readonly message: string;
  /** Undefined unless the responder shows stacks. */
  readonly stack?: string | undefined;
  /** Service that answered; undefined if it is no bus of Hopline's. */
  readonly service: string | undefined;
}
