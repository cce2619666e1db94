/**
 * Reason for a dead letter. The last five values stand for dead letters made by the broker: a bus never
 * emits them.
 */
export type DeadLetterReason =
  /** All tries are used up. */
  | 'exhausted'
  /** The handler threw an UnrecoverableError, or an error for which the policy gives up. */
  | 'unrecoverable'
  /**
   * The time for retries is over; or, by the broker, the message's `expiration` passed while it waited in the
   * queue.
   */
  | 'expired'
  /** The handler timed out, and its policy gives up on a timeout. */
  | 'timeout'
  /** The body can't be decoded, or a header can't be read. */
  | 'undecodable'
  /** The payload does not fit its schema. */
  | 'invalid'
  /** No handler of the queue matched during the whole `unhandledRetryFor`. */
  | 'no-handler'
  /** An operator cancelled the message while its handler ran, and the handler threw. */
  | 'cancelled'
  /**
   * The message was handled, but the next step of its chain can't be sent: no queue takes it, or the broker
   * refuses it.
   */
  | 'chain-broken'
  /**
   * The message was handled, but what its handler has published (`publishes: 'after'`) can't be sent: no queue takes it, or the
   * broker refuses it.
   */
  | 'publish-refused'
  /**
   * The retry or release of the message can't be published for a permanent reason: it can't be encoded, or the
   * broker no longer takes messages of its size.
   */
  | 'unsendable'
  /** Hopline's own code failed on the message: please report it. */
  | 'internal'
  /** The handler called `context.fail`; or, by the broker, a consumer other than Hopline rejected the message. */
  | 'rejected'
  /** Under `hopline work`: the process ended too often while it handled only this message. */
  | 'crashed'
  /** The broker gave up after too many unsettled deliveries. */
  | 'delivery-limit'
  /** The queue was full, and the broker dropped the message to make room. */
  | 'overflow'
  /** No queue took a delayed send or a retry when it was due. */
  | 'unroutable'
  /** The broker gives a reason that Hopline does not know. */
  | 'broker'
  /** Nothing says why the message was dead-lettered: another program put it into the queue. */
  | 'unknown';
