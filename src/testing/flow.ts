import { LONGEST_TIMER_MS } from '../util/clock.js';
import type { NotSettledError } from './errors.js';

// Taken before a test runner replaces it with a fake: this one waits for the handlers' real work.
const { setTimeout, clearTimeout } = globalThis;

/** A delivery as far as waiting for it goes. */
export interface Open {
  readonly queue: string;
  readonly messageId: string | undefined;
  /** `held`: its copy, a retry's or a dead letter, could not be published, and is tried again later. */
  state: 'waiting' | 'running' | 'held' | 'copied';
  /** Time has been moved on past it once: it waits for time, or hangs. */
  passedOver: boolean;
  describe(): string;
}

/** What is under way in one kit, and whether it moves. */
export class Flow {
  /** Set when something can't come to rest any more; nothing is delivered from then on. */
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

  /** Something that is neither a delivery nor a timer; the returned function ends it. */
  begin(what: string): () => void {
    const task = { what };
    this.tasks.add(task);
    return () => {
      this.tasks.delete(task);
      this.moved();
    };
  }

  /** The copy of this message could not be published (`held`), or is: its original is not the last of it. */
  copied(queue: string, messageId: string | undefined, state: 'held' | 'copied'): void {
    for (const delivery of this.open)
      if (delivery.queue === queue && delivery.messageId === messageId) delivery.state = state;
  }

  /** Nothing goes on that could still do something without time passing. */
  isAtRest(): boolean {
    return this.tasks.size === 0 && this.atWork().length === 0;
  }

  /** What keeps it from rest, a line each. */
  running(): string[] {
    return [
      ...[...this.tasks].map(({ what }) => what),
      ...this.atWork().map((delivery) => delivery.describe()),
    ];
  }

  /** No longer waits for what is at work now. */
  passOver(): void {
    for (const delivery of this.atWork()) delivery.passedOver = true;
  }

  /** Whoever asks anew waits for all of it. */
  expectAll(): void {
    for (const delivery of this.open) delivery.passedOver = false;
  }

  /** Resolves true when something moves, false if nothing does for `patienceMs` of real time. */
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
    for (const tell of this.watchers) tell();
  }

  /** How many publishes there were at this moment, this one included. */
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
