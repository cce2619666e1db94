import type { ConnectionRole } from '../../events.js';

/** Troubles whose text is a new one each time are forgotten: nothing else bounds an outage. */
const MOST_KEPT = 100;

/**
 * Which connection of a bus tells the log of which trouble. As a rule both are lost, and looked for, together: one line says it
 * for both.
 */
export class ToldOutages {
  private readonly tellers = new Map<string, ConnectionRole>();

  /**
   * Whether this connection tells of it: the first that has it does, each time, until it is up again.
   *
   * @param trouble where, and what
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
