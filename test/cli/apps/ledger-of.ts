import type { Bus, HandlerFunction, QueueOptions } from '../../../src/index.js';
import { silentLogger } from '../../../src/util/logger.js';
import type { Hopline } from './shop-of.js';

/** A service with one queue, `ledger`, of any options. */
export function ledgerOf(
  { Bus, rabbitmq }: Hopline,
  {
    url,
    options,
    handle,
  }: {
    readonly url: string | undefined;
    readonly options: Omit<QueueOptions, 'name'>;
    readonly handle: HandlerFunction;
  },
): Bus {
  return new Bus({ service: 'ledger', transport: rabbitmq({ url }), log: silentLogger }).handle(
    'entry.*',
    handle,
    { queue: { name: 'ledger', ...options }, retry: { tries: 3, backoff: '1s' } },
  );
}
