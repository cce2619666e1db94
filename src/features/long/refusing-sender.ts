import { LeaseLostError } from '../../errors.js';
import type { Sender } from '../../message/publisher.js';

/** A sender of an attempt whose lease is lost: another run of it may have begun, which publishes the same. */
export function refusingSender(handler: string): Sender {
  const error = LeaseLostError.refusing('context.publish()', handler);
  return {
    dispatch: () => Promise.reject(error),
    dispatchMany: () => Promise.reject(error),
    chain: () => {
      throw error;
    },
  };
}
