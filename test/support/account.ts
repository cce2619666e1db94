import assert from 'node:assert/strict';
import type { Bus, PublishOptions } from '../../src/index.js';

/** What became of the messages of a fault test, as RabbitMQ's own Jepsen tests count it. */
export interface Account {
  attempted: number;
  confirmed: number;
  handled: number;
  /** Confirmed, and neither handled nor dead-lettered. */
  lost: number;
  /** Handled more than once: allowed, and counted. */
  duplicated: number;
  /** Handled, and never attempted. */
  unexpected: number;
}

/** Publishes numbered messages and keeps the books. */
export class Ledger {
  private readonly attempted = new Set<number>();
  private readonly confirmed = new Set<number>();
  private readonly timesHandled = new Map<number, number>();
  private readonly deadLetters = new Set<number>();
  /** Message ids of each number's copies, as far as handlers told. */
  private readonly ids = new Map<number, Set<string | undefined>>();
  readonly errors: Error[] = [];

  /** Resolves when the publish has ended, one way or the other. */
  async publish(bus: Bus, key: string, number: number, options?: PublishOptions): Promise<void> {
    this.attempted.add(number);
    try {
      await bus.publish(key, { number }, options);
      this.confirmed.add(number);
    } catch (error) {
      this.errors.push(error as Error);
    }
  }

  /** @param messageId if it is given, all copies of a number must have the same */
  handled(number: number, messageId?: string): void {
    this.timesHandled.set(number, (this.timesHandled.get(number) ?? 0) + 1);
    if (messageId === undefined) return;
    const ids = this.ids.get(number) ?? new Set();
    this.ids.set(number, ids.add(messageId));
  }

  deadLettered(number: number): void {
    this.deadLetters.add(number);
  }

  get confirms(): number {
    return this.confirmed.size;
  }

  get missing(): number {
    const isMissing = (number: number) => !this.timesHandled.has(number) && !this.deadLetters.has(number);
    return [...this.confirmed].filter(isMissing).length;
  }

  account(): Account {
    const times = [...this.timesHandled];
    return {
      attempted: this.attempted.size,
      confirmed: this.confirmed.size,
      handled: times.length,
      lost: this.missing,
      duplicated: times.filter(([, count]) => count > 1).length,
      unexpected: times.filter(([number]) => !this.attempted.has(number)).length,
    };
  }

  /** Nothing lost, nothing from nowhere, and copies are known by their id. */
  assertBalanced(): Account {
    const account = this.account();
    const { lost, unexpected } = account;
    assert.deepEqual({ lost, unexpected }, { lost: 0, unexpected: 0 }, JSON.stringify(account));
    const renamed = [...this.ids].filter(([, ids]) => ids.size > 1);
    assert.deepEqual(renamed, [], 'copies of one message have several ids');
    return account;
  }
}
