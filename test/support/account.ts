import assert from 'node:assert/strict';
import type { Bus, PublishOptions } from 'hopline';

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

  handled(number: number): void {
    this.timesHandled.set(number, (this.timesHandled.get(number) ?? 0) + 1);
  }

  get confirms(): number {
    return this.confirmed.size;
  }

  get missing(): number {
    return [...this.confirmed].filter((number) => !this.timesHandled.has(number)).length;
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

  /** Nothing lost, nothing from nowhere. */
  assertBalanced(): void {
    const account = this.account();
    const { lost, unexpected } = account;
    assert.deepEqual({ lost, unexpected }, { lost: 0, unexpected: 0 }, JSON.stringify(account));
  }
}
