import {
  InvalidMessageError,
  OutcomeUnknownError,
  PublishRejectedError,
  PublishTimeoutError,
  UnroutableError,
} from '../../../errors.js';
import { formatMs } from '../../../util/duration.js';
import type { ChannelError } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import type { PendingPublish } from './pending-publish.js';

/* Errors of publishes that were not confirmed. */

export function unroutable({ message, address }: PendingPublish): UnroutableError {
  return new UnroutableError(address.exchange, address.routingKey, message.properties.messageId);
}

export function unencodable(error: Error): InvalidMessageError {
  return new InvalidMessageError(
    `the message can't be encoded: ${error.message}`,
    'Fix the header or property that is named.',
    { cause: error },
  );
}

export function rejected(
  { address }: PendingPublish,
  why: string,
  cause?: ChannelError,
): PublishRejectedError {
  return new PublishRejectedError(
    `'${address.routingKey}' is not accepted on exchange '${address.exchange}': ${why}`,
    cause?.code === 403
      ? `Give the user permission to write to '${address.exchange}', and to this routing key if it has topic permissions there.`
      : "Check the queues bound to the exchange (a length limit, no leader), and the user's permissions. At least one of the queues has not stored it.",
    { cause },
  );
}

/** For a message whose every answer was a nack. */
export function refused(pending: PendingPublish): PublishRejectedError {
  return rejected(pending, 'the broker refuses it again and again (nack)');
}

export function outcomeUnknown({ message, address }: PendingPublish): OutcomeUnknownError {
  return new OutcomeUnknownError(
    message.properties.messageId,
    `'${address.routingKey}' was sent to exchange '${address.exchange}', but no confirm came within ${formatMs(message.deadlineMs)}`,
  );
}

/** For a message that was never written. */
export function timedOut(
  { message, address }: PendingPublish,
  { isBlocked, model }: Connection,
): PublishTimeoutError {
  const why = isBlocked
    ? 'the broker blocks publishers (a memory or disk alarm)'
    : model
      ? 'other publishes wait for their confirms'
      : 'there is no connection to the broker';
  return new PublishTimeoutError(
    `'${address.routingKey}' could not be written to exchange '${address.exchange}' within ${formatMs(message.deadlineMs)}: ${why}`,
    'Publish it again when the broker takes messages: it was not sent.',
  );
}

/** For a message whose exchange was declared again, and whose queues' owners have not bound them again yet. */
export function notTakenYet({ message, address }: PendingPublish): PublishTimeoutError {
  return new PublishTimeoutError(
    `no queue has taken '${address.routingKey}' within ${formatMs(message.deadlineMs)}: exchange '${address.exchange}' was declared again in the broker, and the services that take this event may not have bound to it yet`,
    'Publish it again when the services that take it are back: it is not stored anywhere.',
  );
}
