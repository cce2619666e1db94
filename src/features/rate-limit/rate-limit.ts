import type { MessageContext } from '../../message/context.js';
import { keyText } from '../../message/wire/key-text.js';
import type { RateLimitStore } from '../../stores/rate-limits.js';
import type { RateLimitSettings } from './option.js';

/** Longest wait of a message, in windows of the limit: the handler may be idle again by then. */
const HORIZON = 10;

/** Maximum keys whose permits are remembered here; those of others are asked for again. */
const REMEMBERED_KEYS = 10_000;

/**
 * Lets a handler begin `allow` times in any time of `every`: there are so many permits, and each can be taken once in
 * that time. So the limit holds for a time that slides, and for all processes together.
 */
export class RateLimit {
  private readonly keys = new Map<string, Permits>();

  /**
   * @param named gives the store's name for the limit of a key
   * @param handler name of the handler
   */
  constructor(
    private readonly store: RateLimitStore,
    private readonly named: (key: string) => string,
    private readonly settings: RateLimitSettings,
    private readonly now: () => number,
    private readonly handler: string,
  ) {}

  /** Key of the limit. @throws what the handler's `by` throws; InvalidMessageError if it gives no key */
  keyOf(payload: unknown, context: MessageContext): string {
    const { by } = this.settings;
    return by ? keyText(by(payload, context), `rateLimit.by of '${this.handler}'`) : '';
  }

  /**
   * Takes a permit.
   *
   * @returns 0 if there was one, else in how many milliseconds there may be one for this message
   * @throws what the store throws
   */
  take(key: string): Promise<number> {
    return this.permitsOf(key).take();
  }

  private permitsOf(key: string): Permits {
    const permits = this.keys.get(key) ?? new Permits(this.store, this.named(key), this.settings, this.now);
    this.keys.delete(key);
    this.keys.set(key, permits);
    const [oldest] = this.keys.keys();
    if (this.keys.size > REMEMBERED_KEYS && oldest !== undefined) this.keys.delete(oldest);
    return permits;
  }
}

/** Permits of one key, as far as this process knows them. */
class Permits {
  /** When each is free again, as far as this process knows; a permit that another one has taken is found out once. */
  private readonly freeAt: Float64Array;
  /** The same, with what was promised to messages that were sent away, so that they don't all come back for one permit. */
  private readonly promisedAt: Float64Array;

  constructor(
    private readonly store: RateLimitStore,
    private readonly name: string,
    private readonly settings: RateLimitSettings,
    private readonly now: () => number,
  ) {
    this.freeAt = new Float64Array(settings.allow);
    this.promisedAt = new Float64Array(settings.allow);
  }

  async take(): Promise<number> {
    const { freeAt } = this;
    const { everyMs } = this.settings;
    for (let permit = earliest(freeAt); at(freeAt, permit) <= this.now(); permit = earliest(freeAt)) {
      // Until the store has answered nobody else here asks for this one.
      freeAt[permit] = this.now() + everyMs;
      const takenForMs = await this.ask(permit);
      if (takenForMs === 0) return 0;
      freeAt[permit] = this.now() + takenForMs;
    }
    return this.promised();
  }

  private async ask(permit: number): Promise<number> {
    try {
      return await this.store.take(`${this.name}:${permit}`, this.settings.everyMs / 1_000);
    } catch (error) {
      this.freeAt[permit] = 0;
      throw error;
    }
  }

  /** In how many milliseconds the next permit is free that was promised to no other message. */
  private promised(): number {
    const { freeAt, promisedAt } = this;
    const { everyMs } = this.settings;
    for (let permit = 0; permit < freeAt.length; permit += 1)
      promisedAt[permit] = Math.max(at(promisedAt, permit), at(freeAt, permit));
    const permit = earliest(promisedAt);
    const waitMs = at(promisedAt, permit) - this.now();
    if (waitMs > HORIZON * everyMs) return HORIZON * everyMs;
    promisedAt[permit] = at(promisedAt, permit) + everyMs;
    return Math.max(1, Math.ceil(waitMs));
  }
}

function earliest(times: Float64Array): number {
  let best = 0;
  for (let permit = 1; permit < times.length; permit += 1)
    if (at(times, permit) < at(times, best)) best = permit;
  return best;
}

const at = (times: Float64Array, permit: number): number => times[permit] as number;
