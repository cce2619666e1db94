import {
  InvalidMessageError,
  MessageTooLargeError,
  OptionsError,
  PublishRejectedError,
  TopologyError,
  UnroutableError,
} from '../errors.js';

const FINAL = [UnroutableError, InvalidMessageError, MessageTooLargeError, OptionsError, TopologyError];

/** The broker's words for what every message of a queue has in common: a right or an exchange is missing. */
const MISSING = [403, 404];

/**
 * Whether a copy that settles a delivery can't be published for a reason of its own, whatever is mended in the broker: it can't be
 * encoded, or the broker closes the channel for it (over its `max_message_size`). Less than {@link isFinal}: what all messages of
 * the queue suffer from, as a missing right, an operator mends, and nothing is to be given up for it.
 */
export function isOwnFault(error: unknown): boolean {
  if (!(error instanceof PublishRejectedError))
    return error instanceof InvalidMessageError || error instanceof MessageTooLargeError;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'number' && !MISSING.includes(code);
}

/**
 * Whether a message can't be sent for a reason of its own, so that to wait with it, and with what is behind
 * it, would be for ever. All else passes: an alarm, a connection that is gone, a queue that has no leader.
 */
export function isFinal(error: unknown): boolean {
  // With a cause it was the broker that closed the channel for exactly this one: a missing right, or over its cap.
  if (error instanceof PublishRejectedError) return error.cause !== undefined;
  return FINAL.some((each) => error instanceof each);
}
