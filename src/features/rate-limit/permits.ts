import type { RateLimitStore } from '../../stores/rate-limits.js';

/** Longest wait of a message, in windows of the limit: the handler may be idle again by then. */
const HORIZON = 10;

/** Permits of one key, as far as this process knows them. */
export class Permits {
  /** When each is free again, as far as this process knows; a permit that another one has taken is found out once. */
  private freeAt = new Float64Array(0);
  /** The same, with what was promised to messages that were sent away, so that they don't all come back for one permit. */
  private promisedAt = new Float64Array(0);
  /** Until when all of them are held back; 0 if they are not. */
  private heldUntil = 0;

  /** @param name of the permits in the store, which has a number behind it for each */
  constructor(
    private readonly store: RateLimitStore,
    private readonly name: string,
    private readonly everyMs: number,
    private readonly now: () => number,
  ) {}

  /**
   * Takes one of the first `allow` permits.
   *
   * @returns 0 if there was one, else in how many milliseconds there may be one for this message
   * @throws what the store throws
   */
  async take(allow: number): Promise<number> {
    this.make(allow);
    for (let permit = this.soonest(allow); this.isFree(permit); permit = this.soonest(allow)) {
      // Until the store has answered nobody else here asks for this one.
      this.freeAt[permit] = this.now() + this.everyMs;
      const takenForMs = await this.ask(permit);
      if (takenForMs === 0) return 0;
      this.freeAt[permit] = Math.max(this.heldUntil, this.now() + takenForMs);
    }
    return this.promised(allow);
  }

  /**
   * Holds the first `most` permits, and all others that are known here, back for at least this time: here at once, in other processes
   * when they ask for one.
   *
   * @throws what the store throws
   */
  async hold(most: number, forMs: number): Promise<void> {
    this.heldUntil = Math.max(this.heldUntil, this.now() + forMs);
    const { freeAt, heldUntil } = this;
    for (let permit = 0; permit < freeAt.length; permit += 1)
      freeAt[permit] = Math.max(at(freeAt, permit), heldUntil);
    await this.store.hold(
      Array.from({ length: Math.max(most, freeAt.length) }, (_, permit) => this.nameOf(permit)),
      forMs,
    );
  }

  /** The number may differ from message to message: what is known of the others stays. */
  private make(allow: number): void {
    if (allow <= this.freeAt.length) return;
    const known = this.freeAt;
    this.freeAt = new Float64Array(allow).fill(this.heldUntil);
    this.freeAt.set(known);
    const promised = this.promisedAt;
    this.promisedAt = new Float64Array(allow);
    this.promisedAt.set(promised);
  }

  private soonest(allow: number): number {
    return earliest(this.freeAt, allow);
  }

  private isFree(permit: number): boolean {
    return at(this.freeAt, permit) <= this.now();
  }

  private async ask(permit: number): Promise<number> {
    try {
      return await this.store.take(this.nameOf(permit), this.everyMs / 1_000);
    } catch (error) {
      this.freeAt[permit] = this.heldUntil;
      throw error;
    }
  }

  private nameOf(permit: number): string {
    return `${this.name}:${permit}`;
  }

  /** In how many milliseconds the next permit is free that was promised to no other message. */
  private promised(allow: number): number {
    const { freeAt, promisedAt, everyMs } = this;
    for (let permit = 0; permit < allow; permit += 1)
      promisedAt[permit] = Math.max(at(promisedAt, permit), at(freeAt, permit));
    const permit = earliest(promisedAt, allow);
    const waitMs = at(promisedAt, permit) - this.now();
    // Nobody can begin before a permit is free, however long they are held back.
    const mostMs = Math.max(HORIZON * everyMs, at(freeAt, this.soonest(allow)) - this.now());
    if (waitMs > mostMs) return Math.ceil(mostMs);
    promisedAt[permit] = at(promisedAt, permit) + everyMs;
    return Math.max(1, Math.ceil(waitMs));
  }
}

/** @param most how many of them count */
function earliest(times: Float64Array, most: number): number {
  let best = 0;
  for (let permit = 1; permit < most; permit += 1) if (at(times, permit) < at(times, best)) best = permit;
  return best;
}

const at = (times: Float64Array, permit: number): number => times[permit] as number;
