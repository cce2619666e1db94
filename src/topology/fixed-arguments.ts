/** RabbitMQ's wording (tried on 3.10.8, 4.0.5 and 4.3.6). */
const OTHER_LIMIT = /inequivalent arg 'x-delivery-limit' for queue .*current is '(\d+)'/;

const OTHER_TYPE =
  /inequivalent arg 'type' for exchange '(.*)' in vhost .*received '(.*)' but current is '(.*)'/;

/** Advice for a queue or an exchange that exists with other arguments, if the broker's reply allows a precise one; else ''. */
export function cureOfOtherArguments(reply: string): string {
  const [, exchange, , type] = OTHER_TYPE.exec(reply) ?? [];
  if (exchange !== undefined)
    return `The exchange is of type ${type}: say { name: '${exchange}', type: '${type}' } to use it as it is. `;
  const [, current] = OTHER_LIMIT.exec(reply) ?? [];
  if (current === undefined) return '';
  return `The queue was declared with a delivery limit of ${current}: set deliveryLimit: ${current} on it to keep that. `;
}
