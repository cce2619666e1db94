import type { DeadLetterReason } from '../../../events.js';

/** What each reason means, as a sentence about one message. Used by views, so nothing of the server is imported here. */
export const REASONS: Readonly<Record<DeadLetterReason, string>> = {
  exhausted: 'The handler threw on every try.',
  unrecoverable: 'The handler threw an error for which no retry helps.',
  expired: 'Its time was over: that of its retries, or its expiration.',
  timeout: 'The handler took longer than it may, and its policy gives up on that.',
  undecodable: 'Its body or headers could not be read.',
  invalid: 'Its body does not fit the schema of its message.',
  'no-handler': 'No handler of the queue takes its routing key.',
  cancelled: 'An operator cancelled it while its handler ran.',
  'chain-broken': 'It was handled, but the next step of its chain could not be sent.',
  'publish-refused': 'It was handled, but what its handler published could not be sent.',
  crashed: 'Its process ended again and again while it ran.',
  unsendable: 'Its retry could never be published.',
  internal: "Hopline's own code failed on it: please report it.",
  rejected: 'A consumer rejected it.',
  'delivery-limit': 'It was delivered again and again without an ack.',
  overflow: 'The queue was full.',
  unroutable: 'No queue took it when its delay was over.',
  broker: "A rule of the broker's moved it here.",
  unknown: 'Nothing says why it is here.',
};
