import type { RateInForce, SetLimit } from '../features/limits/limits-in-force.js';
import { formatMs } from '../util/duration.js';

/** `handler 'charge' of queue 'billing.charges'`, or `bucket 'stripe'`. */
export const limitedText = ({ queue, handler, bucket }: Partial<SetLimit>): string =>
  bucket !== undefined
    ? `bucket '${bucket}'`
    : `handler '${handler}'${queue === undefined ? '' : ` of queue '${queue}'`}`;

/** `50/1m`, and whose permits these are. */
export function rateText({ allow, everyMs, bucket, keyed }: RateInForce): string {
  const rate = `${allow ?? 'by message'}/${formatMs(everyMs)}`;
  return `${rate}${keyed ? ' a key' : ''}${bucket === undefined ? '' : `, bucket ${bucket}`}`;
}

/** `50/1m, 4 at once in each process`. */
export function setText({ rate, concurrency }: Pick<SetLimit, 'rate' | 'concurrency'>): string {
  return [
    ...(rate ? [`${rate.allow}/${formatMs(rate.everyMs)}`] : []),
    ...(concurrency === undefined ? [] : [`${concurrency} at once in each process`]),
  ].join(', ');
}
