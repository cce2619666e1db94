import { randomUUID } from 'node:crypto';
import type { SemaphoreStore } from '../../stores/semaphores.js';
import { triedAgain } from '../../util/backoff.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { KeyLine, type KeyLineParts, type Permit, type PermitTime, type Place } from './key-line.js';

export interface PermitsOptions {
  readonly store: SemaphoreStore;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  /** Name of the semaphore of a key. */
  named(key: string): string;
  /** Permits of each key. */
  limit(): number;
}

/** Shortest time between two looks at the lines that wait. */
const LOOK_EVERY_MS = 4;

/** The permits of one handler, as far as this process has them or waits for them. */
export class Permits {
  private readonly lines = new Map<string, KeyLine>();
  /** Lines in which messages wait. */
  private readonly waiting = new Set<KeyLine>();
  private readonly parts: KeyLineParts;
  private timer: Timer | undefined;
  private lookAt = Number.POSITIVE_INFINITY;

  constructor(private readonly options: PermitsOptions) {
    const { store, clock, limit, log } = options;
    const process = randomUUID();
    let owners = 0;
    this.parts = {
      clock,
      limit,
      nextOwner: () => `${process}:${++owners}`,
      acquire: (name, owner, forMs) => store.acquire(name, limit(), owner, forMs),
      release: ({ line, owner }) =>
        store.release(line.name, owner).catch((error) => {
          log.warn({ error }, 'a permit could not be given back: it ends when its time is over');
        }),
      takeBack: (name, owner) =>
        void triedAgain(clock, () => store.release(name, owner)).catch((error) => {
          log.warn(
            { error },
            'a permit that may have been taken could not be given back: it ends when its time is over',
          );
        }),
      onWaiting: (line) => this.watch(line),
      onNoneWaiting: (line) => this.unwatch(line),
      onEmpty: (line) => {
        if (this.lines.get(line.name) === line) this.lines.delete(line.name);
      },
    };
  }

  /** Resolves with a permit, or undefined if all are taken; undefined if that is known without asking. @throws what the store throws */
  tryTake(key: string, time: PermitTime): Promise<Permit | undefined> | undefined {
    const line = this.lineOf(key);
    return line.mayAsk ? line.ask(time) : undefined;
  }

  /** As {@link KeyLine.wait}. */
  wait(key: string, age: number, time: PermitTime, most: number): Place | undefined {
    return this.lineOf(key).wait(age, time, most);
  }

  /** As {@link KeyLine.promise}; undefined if nothing waits here. */
  promise(key: string): number | undefined {
    return this.lines.get(this.options.named(key))?.promise();
  }

  /** Extends a permit to `forMs` from now on. False if another may have it by now. @throws what the store throws */
  async renew(permit: Permit, forMs: number): Promise<boolean> {
    const { store, clock } = this.options;
    const askedAt = clock.monotonic();
    const isHeld = await store.renew(permit.line.name, permit.owner, forMs);
    if (isHeld) permit.until = askedAt + forMs;
    return isHeld;
  }

  private lineOf(key: string): KeyLine {
    const name = this.options.named(key);
    const known = this.lines.get(name);
    if (known) return known;
    const line = new KeyLine(name, this.parts);
    this.lines.set(name, line);
    return line;
  }

  private watch(line: KeyLine): void {
    this.waiting.add(line);
    this.lookBy(line.attendAt);
  }

  private unwatch(line: KeyLine): void {
    this.waiting.delete(line);
    if (this.waiting.size > 0) return;
    this.timer?.cancel();
    this.lookAt = Number.POSITIVE_INFINITY;
  }

  private lookBy(at: number): void {
    const now = this.options.clock.monotonic();
    const lookAt = Math.max(at, now + LOOK_EVERY_MS);
    if (lookAt >= this.lookAt) return;
    this.timer?.cancel();
    this.lookAt = lookAt;
    this.timer = this.options.clock.setTimer(() => this.look(), lookAt - now);
  }

  private look(): void {
    this.lookAt = Number.POSITIVE_INFINITY;
    const now = this.options.clock.monotonic();
    for (const line of [...this.waiting]) line.attend(now);
    let next = Number.POSITIVE_INFINITY;
    for (const line of this.waiting) next = Math.min(next, line.attendAt);
    if (this.waiting.size > 0) this.lookBy(next);
  }
}
