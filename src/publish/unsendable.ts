import {
  InvalidMessageError,
  MessageTooLargeError,
  OptionsError,
  PublishRejectedError,
  TopologyError,
  UnroutableError,
} from '../errors.js';

const FINAL = [UnroutableError, InvalidMessageError, MessageTooLargeError, OptionsError, TopologyError];

/**
 * Whether a message can't be sent for a reason of its own, so that to wait with it, and with what is behind
 * it, would be for ever. All else passes: an alarm, a connection that is gone, a queue that has no leader.
 */
export function isFinal(error: unknown): boolean {
  // With a cause it was the broker that closed the channel for exactly this one: a missing right, or over its cap.
  if (error instanceof PublishRejectedError) return error.cause !== undefined;
  return FINAL.some((each) => error instanceof each);
}
