import type { Bus, HandlerFunction, Logger, QueueOptions } from '../../../src/index.js';
import type { Hopline } from './shop-of.js';

/** A service with one queue, `ledger`, of any options. */
export function ledgerOf(
  { Bus, rabbitmq }: Hopline,
  {
    url,
    options,
    handle,
    log,
  }: {
    readonly url: string | undefined;
    readonly options: Omit<QueueOptions, 'name'>;
    readonly handle: HandlerFunction;
    readonly log?: Logger;
  },
): Bus {
  return new Bus({ service: 'ledger', transport: rabbitmq({ url }), ...(log && { log }) }).handle(
    'entry.*',
    handle,
    { queue: { name: 'ledger', ...options }, retry: { tries: 3, backoff: '1s' } },
  );
}
