import { takes } from './matching.js';
import type { Outcome } from './outcomes.js';

/** A queue and the patterns that it is bound with. */
export interface Route {
  readonly queue: string;
  readonly patterns: readonly string[];
}

/** One message in one queue. */
export interface Entry {
  readonly messageId: string;
  readonly key: string;
  readonly queue: string;
}

/** What the account says in the end. */
export interface Balance {
  readonly published: number;
  /** Published × matching queues. */
  readonly expected: number;
  /** The same, queue by queue. */
  readonly expectedIn: ReadonlyMap<string, number>;
  readonly handled: number;
  readonly deadLettered: number;
  /** Expected in a queue, and neither handled nor dead-lettered there. */
  readonly missing: readonly Entry[];
  /** Came out of a queue whose patterns don't take it. */
  readonly surplus: readonly Entry[];
  /** Ended more than once in the same queue: what "at least once" allows. */
  readonly duplicates: number;
  /** Ended, but not published by this run. */
  readonly foreign: number;
  /** Offered to the intake, which never said that it had published them. */
  readonly unconfirmed: readonly string[];
  readonly balanced: boolean;
}

interface Offered {
  readonly key: string;
  confirmed: boolean;
  publishedAt: number;
  /** By queue, how it ended there: the first time counts. */
  readonly ended: Map<string, 'handled' | 'dead-lettered'>;
}

/** Holds what came out of the queues against what should have: each message by its id, in each queue by its name. */
export class Account {
  private readonly offered = new Map<string, Offered>();
  private duplicates = 0;
  private foreign = 0;
  private expected = 0;
  private settled = 0;

  constructor(private readonly routes: readonly Route[]) {}

  /** Before a message is handed to the intake: it may be handled before the answer is back. */
  offer(messageId: string, key: string): void {
    this.offered.set(messageId, { key, confirmed: false, publishedAt: Date.now(), ended: new Map() });
    this.expected += this.queuesFor(key).length;
  }

  /** When the publish began; latencies count from there. */
  published(messageId: string, at: number): void {
    const offered = this.offered.get(messageId);
    if (offered) offered.publishedAt = at;
  }

  confirm(messageId: string): void {
    const offered = this.offered.get(messageId);
    if (offered) offered.confirmed = true;
  }

  /** The intake refused it: it was never published. */
  withdraw(messageId: string): void {
    const offered = this.offered.get(messageId);
    if (offered) this.expected -= this.queuesFor(offered.key).length;
    this.offered.delete(messageId);
  }

  /** @returns milliseconds since publishing if this is how a message of this run ended in this queue */
  record({ kind, queue, messageId, at }: Outcome): number | undefined {
    if (kind === 'retried') return undefined;
    const offered = this.offered.get(messageId);
    if (!offered) {
      this.foreign += 1;
      return undefined;
    }
    if (offered.ended.has(queue)) {
      this.duplicates += 1;
      return undefined;
    }
    offered.ended.set(queue, kind);
    if (this.queuesFor(offered.key).includes(queue)) this.settled += 1;
    return at - offered.publishedAt;
  }

  /** Whether a message is one of this run's. */
  knows(messageId: string): boolean {
    return this.offered.has(messageId);
  }

  /** When `settled` has reached `expected`, and nothing more will be offered, nothing is left to wait for. */
  get progress(): { readonly published: number; readonly expected: number; readonly settled: number } {
    return { published: this.offered.size, expected: this.expected, settled: this.settled };
  }

  balance(): Balance {
    const missing: Entry[] = [];
    const surplus: Entry[] = [];
    const expectedIn = new Map(this.routes.map(({ queue }) => [queue, 0]));
    const count = { handled: 0, 'dead-lettered': 0 };
    for (const [messageId, { key, ended }] of this.offered) {
      const queues = this.queuesFor(key);
      for (const queue of queues) {
        expectedIn.set(queue, (expectedIn.get(queue) ?? 0) + 1);
        if (!ended.has(queue)) missing.push({ messageId, key, queue });
      }
      for (const [queue, how] of ended) {
        if (queues.includes(queue)) count[how] += 1;
        else surplus.push({ messageId, key, queue });
      }
    }
    const unconfirmed = [...this.offered].filter(([, { confirmed }]) => !confirmed).map(([id]) => id);
    return {
      published: this.offered.size,
      expected: this.expected,
      expectedIn,
      handled: count.handled,
      deadLettered: count['dead-lettered'],
      missing,
      surplus,
      duplicates: this.duplicates,
      foreign: this.foreign,
      unconfirmed,
      balanced:
        missing.length + surplus.length + unconfirmed.length === 0 &&
        this.expected === count.handled + count['dead-lettered'],
    };
  }

  private queuesFor(key: string): string[] {
    return this.routes
      .filter(({ patterns }) => patterns.some((pattern) => takes(pattern, key)))
      .map(({ queue }) => queue);
  }
}
