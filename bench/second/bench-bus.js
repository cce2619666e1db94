import { Bus, rabbitmq } from 'hopline';
import { CONCURRENCY } from './waiting-messages.js';

/** A bus with names of this run's own. @param {import('./rows.js').Setup} setup @param {object} [stores] */
export const busOf = ({ servers, prefix }, stores) =>
  new Bus({
    service: prefix,
    prefix,
    transport: rabbitmq({ url: servers.rabbitmq?.url ?? '' }),
    operatorControl: false,
    concurrency: CONCURRENCY,
    ...(stores ? { stores } : {}),
  });

/** Counts down, and resolves at the end. @param {number} count */
export function countdown(count) {
  let left = count;
  let resolve = () => {};
  /** @type {Promise<void>} */
  const over = new Promise((done) => {
    resolve = done;
  });
  return {
    one: () => {
      left -= 1;
      if (left === 0) resolve();
    },
    over,
  };
}
