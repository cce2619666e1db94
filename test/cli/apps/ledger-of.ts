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
    prefix,
  }: {
    readonly url: string | undefined;
    readonly options: Omit<QueueOptions, 'name'>;
    readonly handle: HandlerFunction;
    readonly log?: Logger;
    readonly prefix?: string | undefined;
  },
): Bus {
  const transport = rabbitmq({ url });
  return new Bus({
    service: 'ledger',
    transport,
    ...(log && { log }),
    ...(prefix !== undefined && { prefix }),
  }).handle('entry.*', handle, {
    queue: { name: 'ledger', ...options },
    retry: { tries: 3, backoff: '1s' },
  });
}
