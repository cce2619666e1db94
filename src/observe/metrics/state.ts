import type { BusHealth, BusStatus } from './observed-bus.js';
import type { Reading } from './reading.js';

/** States of a consumer in which it is not there. */
const LOST = ['lost', 'failed', 'guilty'];

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);

/** Reads what a bus does at the moment. */
export class StateReader {
  /** Busy seconds by slot group: a counter must not vanish, whatever becomes of the bus. */
  private readonly busy = new Map<string, number>();

  read(service: string, status: BusStatus, reading: Reading): void {
    for (const { queues, busyMs } of status.slotGroups) this.busy.set(nameOf(queues), busyMs / 1_000);
    for (const [queue, busy] of this.busy) reading.add('slots_busy_seconds_total', { service, queue }, busy);
    if (status.state !== 'stopped') readSlots(service, status, reading);
  }
}

const nameOf = (queues: readonly string[]) => queues.join(',');

function readSlots(service: string, { slotGroups, handlers, lagMs }: BusStatus, reading: Reading): void {
  for (const group of slotGroups) {
    const labels = { service, queue: nameOf(group.queues) };
    reading.add('slots', labels, group.slots);
    reading.add('slots_busy', labels, group.running);
    reading.add('messages_fetched', labels, group.waiting);
    for (const { queue, oldestMs } of group.lanes)
      reading.add('oldest_message_seconds', { service, queue }, seconds(oldestMs));
  }
  for (const { handler, queue, running, longestMs, timeoutMs, circuit } of handlers) {
    const labels = { service, queue, handler };
    reading.add('handler_running', labels, running);
    reading.add('handler_longest_seconds', labels, (longestMs ?? 0) / 1_000);
    reading.add('handler_timeout_seconds', labels, seconds(timeoutMs));
    reading.add('circuit_open', labels, circuit && Number(circuit !== 'closed'));
  }
  reading.add('event_loop_lag_seconds', { service }, seconds(lagMs));
}

/** Adds the consumers of a bus, and why some are paused. */
export function readConsumers(
  service: string,
  { slotGroups, state: ofBus }: BusStatus,
  { consumers }: BusHealth,
  reading: Reading,
): void {
  for (const { queue, state } of consumers)
    reading.add('consumers', { service, queue }, LOST.includes(state) ? 0 : 1);
  if (ofBus === 'stopped') return;
  for (const { lanes, held } of slotGroups)
    for (const { queue, paused } of lanes)
      for (const reason of held ? [...paused, 'unpublishable'] : paused)
        reading.add('consumer_paused', { service, queue, reason }, 1);
}
