import {
  InvalidMessageError,
  MessageTooLargeError,
  OptionsError,
  PublishRejectedError,
  TopologyError,
  UnroutableError,
} from '../../errors.js';

const FINAL = [UnroutableError, InvalidMessageError, MessageTooLargeError, OptionsError, TopologyError];

/** Reply codes for faults that all messages of a queue share: a right or an exchange is missing. */
const MISSING = [403, 404];

/**
 * Tells whether a copy that settles a delivery can't be published for a reason of its own, whatever is mended
 * in the broker: it can't be encoded, or the broker closes the channel for it (over its `max_message_size`).
 * Narrower than {@link isFinal}: a fault that all messages of the queue share, such as a missing right, is
 * mended by an operator, and no message is given up for it.
 */
export function isOwnFault(error: unknown): boolean {
  if (!(error instanceof PublishRejectedError))
    return error instanceof InvalidMessageError || error instanceof MessageTooLargeError;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'number' && !MISSING.includes(code);
}

/**
 * Tells whether a message can't be sent for a reason of its own, so that waiting with it, and with the
 * messages behind it, would never end. All other errors are temporary: an alarm, a lost connection, a queue
 * without a leader.
 */
export function isFinal(error: unknown): boolean {
  // An error with a cause: the broker closed the channel for exactly this message, by a missing right or its
  // size limit.
  if (error instanceof PublishRejectedError) return error.cause !== undefined;
  return FINAL.some((each) => error instanceof each);
}
