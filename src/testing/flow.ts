import { LONGEST_TIMER_MS } from '../util/clock.js';
import type { NotSettledError } from './errors.js';

// Saved before a test runner replaces them with fakes: the kit waits for the handlers' real work.
const { setTimeout, clearTimeout } = globalThis;

/** The part of a delivery that waiting depends on. */
export interface Open {
  readonly queue: string;
  readonly messageId: string | undefined;
  /** `held`: its copy, a retry's or a dead letter, could not be published, and is tried again later. */
  state: 'waiting' | 'running' | 'held' | 'copied';
  /** Time was once moved on past it: it waits for time, or hangs. */
  passedOver: boolean;
  describe(): string;
}

/** The work under way in one kit, and its progress. */
export class Flow {
  /** Set when the work can't come to rest any more; nothing is delivered from then on. */
  broken: NotSettledError | undefined;
  private readonly open = new Set<Open>();
  /** Publishes and restarts. */
  private readonly tasks = new Set<{ readonly what: string }>();
  private instant = 0;
  private counted = 0;
  private readonly watchers = new Set<() => void>();

  delivered(delivery: Open): void {
    this.open.add(delivery);
    this.moved();
  }

  settled(delivery: Open): void {
    this.open.delete(delivery);
    this.moved();
  }

  /** Records work that is neither a delivery nor a timer; the returned function ends it. */
  begin(what: string): () => void {
    const task = { what };
    this.tasks.add(task);
    return () => {
      this.tasks.delete(task);
      this.moved();
    };
  }

  /**
   * Records that the copy of this message is published, or could not be (`held`): its original is not its last
   * delivery.
   */
  copied(queue: string, messageId: string | undefined, state: 'held' | 'copied'): void {
    for (const delivery of this.open)
      if (delivery.queue === queue && delivery.messageId === messageId) delivery.state = state;
  }

  /** True if no work can go on without time passing. */
  isAtRest(): boolean {
    return this.tasks.size === 0 && this.atWork().length === 0;
  }

  /** Work under way, one line each. */
  running(): string[] {
    return [
      ...[...this.tasks].map(({ what }) => what),
      ...this.atWork().map((delivery) => delivery.describe()),
    ];
  }

  /** Stops waiting for the work that is under way now. */
  passOver(): void {
    for (const delivery of this.atWork()) delivery.passedOver = true;
  }

  /** Waits for all work again. */
  expectAll(): void {
    for (const delivery of this.open) delivery.passedOver = false;
  }

  /** Resolves to true on progress, to false without any for `patienceMs` of real time. */
  whenMoved(patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (moved: boolean) => {
        clearTimeout(timer);
        this.watchers.delete(watcher);
        resolve(moved);
      };
      const watcher = () => end(true);
      const timer = setTimeout(end, Math.min(patienceMs, LONGEST_TIMER_MS), false);
      this.watchers.add(watcher);
    });
  }

  private moved(): void {
    for (const notify of this.watchers) notify();
  }

  /** Counts a publish at this instant, and returns their number. */
  countAt(instant: number): number {
    this.counted = this.instant === instant ? this.counted + 1 : 1;
    this.instant = instant;
    return this.counted;
  }

  private atWork(): Open[] {
    const paused = new Set([...this.open].filter(({ state }) => state === 'held').map(({ queue }) => queue));
    return [...this.open].filter(
      ({ state, queue, passedOver }) =>
        !passedOver && state !== 'held' && (state !== 'waiting' || !paused.has(queue)),
    );
  }
}
