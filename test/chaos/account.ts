import type { Account } from '../support/account.js';
import type { Entry } from './journal.js';
import { endOf, type Kind, QUEUES } from './traffic.js';

/** What became of all messages of a run. But for the first three, each is counted once in each queue that it went to. */
export interface ChaosAccount extends Account {
  /** Publishes that ended in an error. The broker may have their messages or not; if it has, they have to end as well. */
  readonly refused: number;
  readonly deadLettered: number;
  /** Publishes that neither resolved nor rejected, of publishers that ended in order. */
  readonly hanging: number;
  /** The first few of what is wrong, to look for in the journals and logs. */
  readonly wrong: readonly string[];
}

/** Nothing lost, nothing that should not have been, nothing left hanging. */
export const isClean = ({ lost, unexpected, hanging }: ChaosAccount): boolean =>
  lost === 0 && unexpected === 0 && hanging === 0;

const SHOWN = 20;

/**
 * Balances the journals. `unexpected` is also what ended otherwise than its kind says: a poison message that was handled,
 * a good one that was dead-lettered.
 */
export function balance(entries: Iterable<Entry>): ChaosAccount {
  const books = new Books();
  for (const entry of entries) books.note(entry);
  return books.close();
}

class Books {
  private readonly attempted = new Map<string, Kind>();
  private readonly confirmed = new Set<string>();
  private readonly refused = new Set<string>();
  private readonly endedRuns = new Set<string>();
  /** By `queue/id`. */
  private readonly handled = new Map<string, number>();
  private readonly deadLettered = new Map<string, string>();
  private readonly wrong: string[] = [];

  note(entry: Entry): void {
    switch (entry.what) {
      case 'attempted':
        this.attempted.set(entry.id, entry.kind);
        break;
      case 'confirmed':
        this.confirmed.add(entry.id);
        break;
      case 'refused':
        this.refused.add(entry.id);
        break;
      case 'ended':
        this.endedRuns.add(entry.run);
        break;
      case 'handled': {
        const place = placeOf(entry);
        this.handled.set(place, (this.handled.get(place) ?? 0) + 1);
        break;
      }
      case 'dead-lettered':
        this.deadLettered.set(placeOf(entry), entry.reason);
        break;
    }
  }

  close(): ChaosAccount {
    const unexpected = this.unexpected();
    const lost = this.lost();
    const hanging = this.hanging();
    return {
      attempted: this.attempted.size,
      confirmed: this.confirmed.size,
      refused: this.refused.size,
      handled: this.handled.size,
      deadLettered: this.deadLettered.size,
      lost,
      duplicated: [...this.handled.values()].filter((times) => times > 1).length,
      unexpected,
      hanging,
      wrong: this.wrong.slice(0, SHOWN),
    };
  }

  private lost(): number {
    let lost = 0;
    for (const id of this.confirmed) {
      const kind = this.attempted.get(id);
      for (const queue of QUEUES) {
        const place = placeOf({ queue, id });
        if (this.handled.has(place) || this.deadLettered.has(place)) continue;
        if (kind && endOf(kind, queue) === undefined) continue;
        lost += 1;
        this.wrong.push(`lost: ${place} (${kind})`);
      }
    }
    return lost;
  }

  private unexpected(): number {
    let unexpected = 0;
    const check = (place: string, end: 'handled' | 'dead-lettered', how: string) => {
      if (this.expects(place, end)) return;
      unexpected += 1;
      this.wrong.push(`unexpected: ${place} ${how}`);
    };
    for (const place of this.handled.keys()) check(place, 'handled', 'was handled');
    for (const [place, reason] of this.deadLettered)
      check(place, 'dead-lettered', `was dead-lettered: ${reason}`);
    return unexpected;
  }

  private expects(place: string, end: 'handled' | 'dead-lettered'): boolean {
    return QUEUES.some((queue) => {
      const kind = place.startsWith(`${queue}/`) && this.attempted.get(place.slice(queue.length + 1));
      return kind && endOf(kind, queue) === end;
    });
  }

  private hanging(): number {
    let hanging = 0;
    for (const id of this.attempted.keys()) {
      if (this.confirmed.has(id) || this.refused.has(id) || !this.endedRuns.has(runOf(id))) continue;
      hanging += 1;
      this.wrong.push(`hanging: ${id}`);
    }
    return hanging;
  }
}

const placeOf = ({ queue, id }: { queue: string; id: string }) => `${queue}/${id}`;

/** A message's id is its publisher's run and a number: `publisher-1.3-42`. */
export const runOf = (id: string): string => id.slice(0, id.lastIndexOf('-'));
