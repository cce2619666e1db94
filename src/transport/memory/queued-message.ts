import type { StoredMessage } from './stored-message.js';

/** A message in one queue. */
export interface QueuedMessage {
  readonly message: StoredMessage;
  /** Effective priority: 0 where priorities are ignored. */
  readonly priority: number;
  /** Position in the order of arrival, kept when the message is returned. */
  readonly position: number;
  /** A moment of the clock's `monotonic`; a redelivery doesn't renew it. */
  readonly expiresAt: number;
  /** Number of deliveries that were returned. */
  deliveryCount: number;
}
