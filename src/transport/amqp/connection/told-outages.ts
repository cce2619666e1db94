import type { ConnectionRole } from '../../../events.js';

/** Limit, since troubles with a different text each time would grow without bound during an outage. */
const MOST_KEPT = 100;

/**
 * Decides which of a bus's connections logs a trouble. Usually both are lost and searched for together: one
 * line is enough for both.
 */
export class ToldOutages {
  private readonly tellers = new Map<string, ConnectionRole>();

  /**
   * True if this connection logs the trouble: the first that has it does, each time, until it is up again.
   *
   * @param trouble address and error
   */
  isTeller(role: ConnectionRole, trouble: string): boolean {
    if (this.tellers.size >= MOST_KEPT) this.tellers.clear();
    const teller = this.tellers.get(trouble) ?? role;
    this.tellers.set(trouble, teller);
    return teller === role;
  }

  up(role: ConnectionRole): void {
    for (const [trouble, teller] of this.tellers) if (teller === role) this.tellers.delete(trouble);
  }
}
