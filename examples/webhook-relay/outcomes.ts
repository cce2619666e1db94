import type { Bus, BusEvents } from 'hopline';

/** What a service tells about one message of one queue. Plain data, so that it can cross processes. */
export interface Outcome {
  readonly kind: 'handled' | 'retried' | 'dead-lettered';
  readonly queue: string;
  readonly handler: string;
  readonly messageId: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Why it was dead-lettered. */
  readonly reason?: string;
}

/** Turns the events of a bus into outcomes. */
export function tellOutcomes(bus: Bus, tell: (outcome: Outcome) => void): void {
  const about = ({ queue, handler, messageId }: BusEvents['handler.started']) => ({
    queue,
    handler: handler ?? '(none)',
    messageId: messageId ?? '(none)',
    at: Date.now(),
  });
  bus.on('handler.succeeded', (event) => tell({ kind: 'handled', ...about(event) }));
  bus.on('message.retried', (event) => tell({ kind: 'retried', ...about(event) }));
  bus.on('message.deadLettered', (event) =>
    tell({ kind: 'dead-lettered', ...about(event), reason: event.reason }),
  );
}
