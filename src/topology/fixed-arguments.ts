import { workQueueOf } from './names.js';

/** RabbitMQ's wording (tried on 3.10.8, 4.0.5 and 4.3.6). */
const OTHER =
  /inequivalent arg '([^']+)' for queue '(.*?)' in vhost '.*': received (.+?) but current is (.+?)"?$/;

const OTHER_TYPE =
  /inequivalent arg 'type' for exchange '(.*)' in vhost .*received '(.*)' but current is '(.*)'/;

/** Advice for a queue or an exchange that exists with other arguments, if the broker's reply allows a precise one; else ''. */
export function cureOfOtherArguments(reply: string): string {
  const [, exchange, , type] = OTHER_TYPE.exec(reply) ?? [];
  if (exchange !== undefined)
    return `The exchange is of type ${type}: say { name: '${exchange}', type: '${type}' } to use it as it is. `;
  const [, argument, queue, wanted, current] = OTHER.exec(reply) ?? [];
  if (argument === undefined || queue === undefined) return '';
  const of = workQueueOf(queue);
  if (of !== queue)
    return `'${queue}' is where Hopline keeps the dead letters of '${of}', and somebody has made it otherwise: move away what is in it and delete it. `;
  const value = plain(current);
  const keep =
    argument === 'x-delivery-limit' && /^'\d+'$/.test(value)
      ? `The queue was declared with a delivery limit of ${value.slice(1, -1)}: set deliveryLimit: ${value.slice(1, -1)} on it to keep that. `
      : `The queue was declared with ${argument} ${value}, and the options ask for ${plain(wanted)}. `;
  return `${keep}\`hopline topology migrate ${queue}\` moves its messages into one that has the options' arguments. `;
}

const plain = (value = 'none'): string => value.replace(/^the value (.*) of type '\w+'$/, '$1');
