/** RabbitMQ's wording (tried on 3.10.8, 4.0.5 and 4.3.6). */
const OTHER_LIMIT = /inequivalent arg 'x-delivery-limit' for queue .*current is '(\d+)'/;

/** Advice for a queue that exists with other arguments, if the broker's reply allows a precise one; else ''. */
export function cureOfOtherArguments(reply: string): string {
  const [, current] = OTHER_LIMIT.exec(reply) ?? [];
  if (current === undefined) return '';
  return `The queue was declared with a delivery limit of ${current}: set deliveryLimit: ${current} on it to keep that. `;
}
