import type { Bus } from '../../bus.js';

/** The part of a bus that metrics need: any object with these methods, since it may be of another copy of Hopline. */
export type ObservedBus = Pick<Bus, 'service' | 'on' | 'status' | 'health' | 'workload' | 'outboxBacklog'>;

export type BusStatus = ReturnType<Bus['status']>;
export type BusHealth = ReturnType<Bus['health']>;
export type BusWorkload = Awaited<ReturnType<Bus['workload']>>;
export type BusBacklog = Awaited<ReturnType<Bus['outboxBacklog']>>;
