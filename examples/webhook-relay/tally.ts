import type { Outcome } from './outcomes.js';

/** What became of the messages of this run that one handler had. */
export interface HandlerTally {
  readonly queue: string;
  readonly handler: string;
  handled: number;
  retried: number;
  deadLettered: number;
  /** Milliseconds from publishing to the end, one for each message. */
  readonly latencies: number[];
}

/** Counts outcomes by handler, and dead letters by reason. */
export class Tally {
  readonly reasons = new Map<string, number>();
  private readonly byHandler = new Map<string, HandlerTally>();

  /** Handlers that never get anything have a line, too. */
  constructor(known: readonly { readonly queue: string; readonly handler: string }[]) {
    for (const { queue, handler } of known) this.of(queue, handler);
  }

  get handlers(): HandlerTally[] {
    return [...this.byHandler.values()];
  }

  retried({ queue, handler }: Outcome): void {
    this.of(queue, handler).retried += 1;
  }

  ended({ kind, queue, handler, reason = 'unknown' }: Outcome, latencyMs: number): void {
    const tally = this.of(queue, handler);
    tally.latencies.push(latencyMs);
    if (kind === 'handled') {
      tally.handled += 1;
      return;
    }
    tally.deadLettered += 1;
    const where = `${reason} in ${queue}.dead`;
    this.reasons.set(where, (this.reasons.get(where) ?? 0) + 1);
  }

  private of(queue: string, handler: string): HandlerTally {
    const name = `${queue} ${handler}`;
    const known = this.byHandler.get(name);
    if (known) return known;
    const tally = { queue, handler, handled: 0, retried: 0, deadLettered: 0, latencies: [] };
    this.byHandler.set(name, tally);
    return tally;
  }
}
