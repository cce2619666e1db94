import { HoplineError } from './hopline-error.js';

/**
 * A message has a body or headers that can't be decoded: not JSON, not UTF-8, an unknown content type or
 * encoding, or too large. It is never retried.
 */
export class UndecodableError extends HoplineError {
  readonly code = 'HOPLINE_UNDECODABLE';
}

/** No handler of the queue matches the message's exchange and routing key. */
export class NoHandlerError extends HoplineError {
  readonly code = 'HOPLINE_NO_HANDLER';

  constructor(queue: string, exchange: string, routingKey: string) {
    super(
      `no handler of queue '${queue}' matches '${routingKey}' of exchange '${exchange}'`,
      'Finish the deployment if an older version runs beside a newer one; else remove the leftover binding with `hopline topology prune`.',
    );
  }
}

/** Thrown by a handler when a retry can't help: the message is dead-lettered at once as `unrecoverable`. */
export class UnrecoverableError extends HoplineError {
  readonly code = 'HOPLINE_UNRECOVERABLE';

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'Find out why the handler gave this message up before you replay it.', options);
  }
}

/** `context.once` was called for a message without an id: a redelivery could not be recognised. */
export class NoMessageIdError extends HoplineError {
  readonly code = 'HOPLINE_NO_MESSAGE_ID';

  constructor(what: string) {
    super(
      `${what}: its message has no id`,
      'Publish the message with a messageId. Its next attempt has one: Hopline adds an id when it republishes a message.',
    );
  }
}

/**
 * A method of a context that needs a running attempt was called after the attempt: the handler had returned or
 * thrown, or its time was up. Nothing was done.
 */
export class AttemptOverError extends HoplineError {
  readonly code = 'HOPLINE_ATTEMPT_OVER';

  constructor(call: string, handler: string) {
    super(
      `${call} was called after the attempt of handler ${handler} had ended`,
      'Await everything that the handler starts before it returns or throws, and stop on context.signal.',
    );
  }
}

/**
 * The lease of a job that takes long is lost: it could not be renewed in time, as when the store is away or the process stood still, and
 * another process may run the job by now. This is the reason of `context.signal`; what the old run still does through its context
 * throws one, and is not done.
 */
export class LeaseLostError extends HoplineError {
  readonly code = 'HOPLINE_LEASE_LOST';

  /** What is said of a call that is refused. */
  static refusing(call: string, handler: string): LeaseLostError {
    return new LeaseLostError(`${call} was refused: the lease of handler ${handler}'s job is lost`);
  }

  /** @param what what found that: `the lease of handler X was not renewed in time`, or a call that was refused */
  constructor(what: string, options?: { cause?: unknown }) {
    super(
      what,
      'Stop on context.signal: the job is run again by whoever has its lease. If it happens often, look whether the store can be reached and whether the handler blocks its process.',
      options,
    );
  }
}

/** The lock that a handler asked for is held by another, and still was when the time to wait was over. Nothing was done. */
export class LockTakenError extends HoplineError {
  readonly code = 'HOPLINE_LOCK_TAKEN';

  constructor(name: string) {
    super(
      `the lock '${name}' is held by another`,
      "Wait for it (`{ wait: '10s' }`), let the attempt fail and be tried again, or call context.release(), which uses no try.",
    );
  }
}

/**
 * A lock is no longer held: it could not be renewed in time, as when the store is away or the process stood still, and another may have
 * it by now; or it was given back.
 */
export class LockLostError extends HoplineError {
  readonly code = 'HOPLINE_LOCK_LOST';

  /** @param what `the lock 'report:7' was not renewed in time` */
  constructor(what: string, options?: { cause?: unknown }) {
    super(
      what,
      "Stop what the lock is for on the lock's signal. If it happens often, look whether the store can be reached and whether the handler blocks its process, or give the lock a longer ttl.",
      options,
    );
  }
}

/**
 * A handler asked for its state, or was to keep one, and is not resumable: nothing is kept of what it has done so far. Nothing was done.
 */
export class NotResumableError extends HoplineError {
  readonly code = 'HOPLINE_NOT_RESUMABLE';

  /** @param call such as `context.yield()` */
  constructor(call: string, handler: string) {
    super(
      `${call} needs a resumable handler, and '${handler}' is none`,
      'Give it the option resumable: true (@Resumable()), and a bus whose stores keep checkpoints.',
    );
  }
}

/** `context.limited` was called in a handler without a rate limit: nothing would make its other messages wait. */
export class NoRateLimitError extends HoplineError {
  readonly code = 'HOPLINE_NO_RATE_LIMIT';

  constructor(handler: string) {
    super(
      `the handler '${handler}' has no rate limit, so that nobody would wait`,
      'Give it one (@RateLimit, or the option rateLimit) of what it calls allows; for this message alone use context.release().',
    );
  }
}

/** A middleware called `next` a second time, or after it had returned or thrown. The call did nothing. */
export class MiddlewareError extends HoplineError {
  readonly code = 'HOPLINE_MIDDLEWARE';

  /** @param kind function of the middleware, such as `consume` */
  constructor(kind: string) {
    super(
      `next() of a ${kind} middleware was called again, or after the middleware had ended`,
      'Call next() once, and await it before the middleware returns.',
    );
  }
}

/** A handler ran longer than its timeout. This is the reason of `context.signal`, and the failure of the attempt. */
export class HandlerTimeoutError extends HoplineError {
  readonly code = 'HOPLINE_HANDLER_TIMEOUT';

  constructor(handler: string, timeout: string) {
    super(
      `handler ${handler} did not finish within ${timeout}`,
      'Pass context.signal to the calls that it waits for, raise its timeout, or split the work.',
    );
  }
}

/** Reason of `context.signal` when the bus stops and the handler's time is up; of a resumable handler as soon as the bus stops. */
export class ShutdownError extends HoplineError {
  readonly code = 'HOPLINE_SHUTDOWN';

  constructor() {
    super(
      'the bus is stopping',
      'Stop soon, by throwing: the message will be delivered again to another worker. If the handler is resumable, return context.yield(state).',
    );
  }
}

/**
 * Reason of `context.signal` when the channel that delivered the message is gone: the broker will deliver the
 * message again.
 */
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

/** A queue can't be consumed: the message at its head ends each connection over which it is delivered. */
export class GuiltyQueueError extends HoplineError {
  readonly code = 'HOPLINE_GUILTY_QUEUE';

  /**
   * @param losses number of connections that the queue has ended while nothing else was consumed over them
   * @param isCounted true if the queue has a delivery limit
   */
  constructor(queue: string, losses: number, isCounted: boolean, options?: { cause?: unknown }) {
    super(
      `the message at the head of queue '${queue}' ends each connection over which it is delivered: ${losses} so far`,
      isCounted
        ? "Wait: the broker dead-letters the message at the queue's delivery limit, and the queue goes on. `hopline failed` bypasses it there."
        : `Move it to the dead letters inside the broker, since a classic queue never gives a message up: run \`rabbitmqctl set_policy move-head '^${queue}$' '{"max-length":N}' --apply-to queues --priority 1000\`, with N one less than the number of waiting messages, and then \`rabbitmqctl clear_policy move-head\`.`,
      options,
    );
  }
}

/**
 * Reason of `context.signal` when an operator cancelled the message: it is dead-lettered as `cancelled` if the
 * handler throws.
 */
export class CancelledError extends HoplineError {
  readonly code = 'HOPLINE_CANCELLED';

  constructor() {
    super(
      'an operator has cancelled this message',
      'Return or throw soon; replay it from the dead letters if it was a mistake.',
    );
  }
}

/**
 * The process that handled only this message ended, as often as `hopline work --crashes` allows: the message is
 * dead-lettered as `crashed`.
 */
export class CrashedError extends HoplineError {
  readonly code = 'HOPLINE_CRASHED';

  /** @param deaths the ends of the processes, such as `exit code 1` or `SIGKILL` */
  constructor(deaths: readonly string[]) {
    super(
      `the process ended while it ran only this message, ${deaths.length === 1 ? 'once' : `${deaths.length} times`}: ${deaths.join(', ')}`,
      "Find the cause in the workers' log (an uncaught error, memory), fix the handler, and replay the message.",
    );
  }
}

/** `stop()` had to leave work behind at its deadline: messages that were not settled will be delivered again. */
export class StopDeadlineError extends HoplineError {
  readonly code = 'HOPLINE_STOP_DEADLINE';
}
