/**
 * Result of a publish, a send, or the dispatch of a chain. Each result is about a message of its own: a unique
 * send that another message replaces throws a {@link NotUniqueError}, which names that message.
 */
export interface Published {
  /**
   * Id of the message in handlers, events, logs and dead letters. For a chain, the id of the chain, which is
   * its first step's.
   */
  readonly messageId: string;
  /**
   * True if the broker has confirmed the message, or a request has its reply. False if it was added to an outbox, by `outbox()` or in a
   * handler's transaction: it is published after the commit, and never without it. False, too, of a handler that `publishes: 'after'`:
   * it is published once the attempt has succeeded, and never without that.
   */
  readonly confirmed: boolean;
  /**
   * Moment at which a delayed message is due; undefined for one without a delay. Where the message is
   * published later a `delay` counts from then, so only `at` gives a moment.
   */
  readonly dueAt: Date | undefined;
}

/** Result for a message that is published later. @param at moment at which it is due, if it has one */
export const publishedLater = (messageId: string, at: Date | undefined): Published => ({
  messageId,
  confirmed: false,
  dueAt: at && new Date(at),
});

/**
 * Result of publishing many messages. The single ids are not in it, since those of 100,000 messages would take
 * seven megabytes: the event `message.confirmed` has each.
 */
export interface PublishedMany {
  /** Number of payloads in the input, all of which were published. */
  readonly count: number;
  /** See {@link Published.confirmed}. */
  readonly confirmed: boolean;
}
