import { OptionsError } from '../errors.js';
import type { EventName } from '../events.js';
import { didYouMean, show } from '../util/check.js';

/** A record, so that the compiler names a missing event. */
const NAMES: Readonly<Record<EventName, true>> = {
  'bus.starting': true,
  'bus.started': true,
  'bus.startFailed': true,
  'bus.stopping': true,
  'bus.stopped': true,
  'message.published': true,
  'message.confirmed': true,
  'message.returned': true,
  'message.rejected': true,
  'request.replied': true,
  'request.failed': true,
  'reply.dropped': true,
  'handler.started': true,
  'handler.succeeded': true,
  'handler.failed': true,
  'handler.timedOut': true,
  'handler.leaseLost': true,
  'message.retried': true,
  'message.released': true,
  'message.deadLettered': true,
  'message.discarded': true,
  'message.failed': true,
  'message.skipped': true,
  'message.guarded': true,
  'connection.up': true,
  'connection.down': true,
  'connection.blocked': true,
  'connection.unblocked': true,
  'connection.stalled': true,
  'connection.flowing': true,
  'channel.reopened': true,
  'consumer.started': true,
  'consumer.cancelled': true,
  'consumer.lost': true,
  'consumer.failed': true,
  'consumer.suspected': true,
  'consumer.guilty': true,
  'consumer.cleared': true,
  'consumer.restored': true,
  'consumer.gap': true,
  'consumer.paused': true,
  'consumer.resumed': true,
  'circuit.opened': true,
  'circuit.closed': true,
  'batch.dispatched': true,
  'batch.cancelled': true,
  'batch.finished': true,
  'outbox.relayed': true,
  'outbox.refused': true,
  'topology.failed': true,
  'control.restart': true,
};

export const EVENT_NAMES = Object.keys(NAMES) as readonly EventName[];

/** Checks an event name: in JavaScript a listener for a misspelt name would otherwise never be called. @throws OptionsError */
export function checkEventName(name: unknown): void {
  if (typeof name === 'string' && Object.hasOwn(NAMES, name)) return;
  const problem =
    typeof name === 'string'
      ? `there is no event '${name}'${didYouMean(name, EVENT_NAMES)}`
      : `expected the name of an event, got ${show(name)}`;
  throw new OptionsError('bus.on', [problem]);
}
