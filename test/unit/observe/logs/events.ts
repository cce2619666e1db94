import type { BusEvents, EventName } from '../../../../src/events.js';

const service = 'shop';
const error = new Error('boom');
const about = {
  service,
  queue: 'shop',
  handler: 'Invoices',
  exchange: 'hopline.events',
  routingKey: 'order.placed',
  messageId: 'm1',
  attempt: 1,
  tries: 5,
};
const publish = { service, exchange: 'hopline.events', routingKey: 'order.placed', messageId: 'm1' };
const ended = { ...about, waitMs: undefined, durationMs: 12.3456, lost: false, sincePublishedMs: 40 };
const connection = { service, connection: 'consume', address: 'rabbit:5672' } as const;
const consumer = { service, queue: 'shop' };
const batch = { service, batchId: 'b1', total: 3, pending: 0, done: 2, failed: 1, skipped: 0, progress: 100 };

/** One of each event. */
export const EVENTS: { readonly [Name in EventName]: BusEvents[Name] } = {
  'bus.starting': { service },
  'bus.started': { service },
  'bus.startFailed': { service, error },
  'bus.stopping': { service },
  'bus.stopped': { service },
  'message.published': publish,
  'message.confirmed': { ...publish, durationMs: 2.5 },
  'message.returned': { ...publish, error },
  'message.rejected': { ...publish, messageId: undefined, error },
  'request.replied': { ...publish, durationMs: 4.2 },
  'request.failed': { ...publish, durationMs: 30_000, error },
  'reply.dropped': { service, requestId: 'm1', messageId: 'm2', from: 'quotes' },
  'handler.started': about,
  'handler.succeeded': ended,
  'handler.failed': { ...ended, error },
  'handler.timedOut': { ...ended, error },
  'handler.leaseLost': { ...about, error },
  'message.retried': { ...about, delayMs: 4_000, error },
  'message.released': { ...about, delayMs: 1_000 },
  'message.deadLettered': {
    ...about,
    sincePublishedMs: undefined,
    reason: 'exhausted',
    error,
    failedError: undefined,
    deadQueue: 'shop.dead',
  },
  'message.discarded': { ...about, error: undefined },
  'message.failed': { ...about, error: new RangeError('too dear'), isAnswered: true },
  'message.skipped': { ...about, handler: undefined },
  'message.guarded': about,
  'connection.up': connection,
  'connection.down': { ...connection, error, retryInMs: 500, refused: false },
  'connection.blocked': { ...connection, reason: 'low on memory' },
  'connection.unblocked': connection,
  'connection.stalled': connection,
  'connection.flowing': connection,
  'channel.reopened': { service, channel: 'publisher', error },
  'consumer.started': consumer,
  'consumer.cancelled': { ...consumer, reason: 'the queue was deleted' },
  'consumer.lost': { ...consumer, error },
  'consumer.failed': { ...consumer, error },
  'consumer.suspected': { ...consumer, error },
  'consumer.guilty': { ...consumer, error, losses: 2, retryInMs: 60_000 },
  'consumer.cleared': consumer,
  'consumer.restored': consumer,
  'consumer.gap': { ...consumer, handler: 'Reload', since: new Date(0) },
  'consumer.paused': { ...consumer, why: 'operator' },
  'consumer.resumed': { ...consumer, why: 'operator' },
  'circuit.opened': {
    service,
    handler: 'Invoices',
    queue: 'shop',
    attempts: 20,
    failures: 12,
    pauseMs: 30_000,
  },
  'circuit.closed': { service, handler: 'Invoices', queue: 'shop' },
  'batch.dispatched': batch,
  'batch.cancelled': batch,
  'batch.finished': batch,
  'outbox.relayed': { service, published: 10, refused: 1, lagMs: 250 },
  'outbox.refused': { service, routingKey: 'order.placed', messageId: 'm1', error },
  'topology.failed': { service, error },
  'control.restart': { service },
};
