/** As RabbitMQ words it (tried on 3.10.8, 4.0.5 and 4.3.6). */
const OTHER_LIMIT = /inequivalent arg 'x-delivery-limit' for queue .*current is '(\d+)'/;

/** What to do about a queue that is there with other arguments than wanted, if the broker's words say more than that; else ''. */
export function cureOfOtherArguments(reply: string): string {
  const [, current] = OTHER_LIMIT.exec(reply) ?? [];
  if (current === undefined) return '';
  return `The queue was declared with a delivery limit of ${current}: say deliveryLimit: ${current} on it to keep that. `;
}
