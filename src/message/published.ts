/**
 * What a publish, a send, or the dispatch of a chain resolves to. Each has a message of its own: a unique send that another
 * stands for is a {@link NotUniqueError}, which names that.
 */
export interface Published {
  /** What handlers, events, logs and dead letters know it by. Of a chain it is its first step's, which is the chain's id. */
  readonly messageId: string;
  /**
   * The broker has confirmed it. False if it was added to an outbox, by `outbox()` or in a transaction of a handler: it is
   * published once that is committed, and never if it is not.
   */
  readonly confirmed: boolean;
  /**
   * When it comes due, if it is delayed; undefined if it is at once. In an outbox a `delay` counts from when it is published, so
   * that only an `at` is known.
   */
  readonly dueAt: Date | undefined;
}

/**
 * What many publishes resolve to. The ids of 100,000 would take seven megabytes, and most callers want none of them: the event
 * `message.confirmed` tells each.
 */
export interface PublishedMany {
  /** How many it were: all that were given. */
  readonly count: number;
  /** As {@link Published.confirmed}. */
  readonly confirmed: boolean;
}
