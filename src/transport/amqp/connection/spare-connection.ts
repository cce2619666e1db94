import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { Connection } from './connection.js';

export interface SpareListener {
  /** Called when the connection is lost. It tries to come back until it is closed. */
  lost(error: Error): void;
  /** Called when it has lived for the required time, or can't be opened at all. */
  lived(): void;
}

/** Failed tries to connect after which its queues go back to the shared connection. */
const MOST_FAILURES = 3;

/** A separate connection for some queues, which ends when it is known whether they end connections. */
export class SpareConnection<Group extends { readonly members: readonly unknown[] }> {
  private timer: NodeJS.Timeout | undefined;
  private isUp = false;
  private failures = 0;

  constructor(
    readonly connection: Connection,
    readonly group: Group,
    private readonly livesMs: number,
    private readonly listener: SpareListener,
  ) {
    connection.listen({
      up: () => this.up(),
      down: (error) => this.down(error),
      blocked: () => {},
      unblocked: () => {},
    });
  }

  get isEmpty(): boolean {
    return this.group.members.length === 0;
  }

  connect(): void {
    this.connection.connect(new Deadline(systemClock, Number.POSITIVE_INFINITY)).catch(() => {});
  }

  /** Continues after a loss that none of its queues has caused. */
  goesOn(): void {
    this.failures = 0;
  }

  close(deadline: Deadline): Promise<void> {
    clearTimeout(this.timer);
    return this.connection.close(deadline);
  }

  private up(): void {
    this.isUp = true;
    this.timer = setTimeout(() => this.listener.lived(), this.livesMs);
  }

  private down(error: Error): void {
    clearTimeout(this.timer);
    const wasUp = this.isUp;
    this.isUp = false;
    if (wasUp) this.listener.lost(error);
    else {
      this.failures += 1;
      if (this.failures === MOST_FAILURES) this.listener.lived();
    }
  }
}
