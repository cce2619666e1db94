import { withLeases } from '../consume/handlers/long-handlers.js';
import type { Subscription } from '../consume/handlers/subscription.js';
import type { BusSettings } from './options.js';

/** True if leases can be held among all processes that may get a message. A broker of this process hands them to nobody else. */
export const hasSharedLeases = ({ stores, transport }: Pick<BusSettings, 'stores' | 'transport'>): boolean =>
  stores.leases !== undefined && (!stores.isOfProcess || transport.kind === 'memory');

/** The subscription with a lease for each handler that needs one, if the bus's stores are shared. */
export function leased(subscription: Subscription, settings: BusSettings): Subscription {
  const { leases, isOfProcess } = settings.stores;
  return withLeases(subscription, settings, leases !== undefined && !isOfProcess);
}
