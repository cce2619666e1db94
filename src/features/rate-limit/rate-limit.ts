import type { MessageContext } from '../../message/context.js';
import { keyText } from '../../message/key-text.js';
import type { PermitStore } from '../../stores/permits.js';
import type { RateLimitSettings } from './option.js';

/** What is sent away comes back within so many times of the limit: it may be idle again by then. */
const HORIZON = 10;

/** Keys whose permits are remembered here; what is forgotten is asked for again. */
const REMEMBERED_KEYS = 10_000;

/**
 * Lets a handler begin `allow` times in any time of `every`: there are so many permits, and each can be taken once in
 * that time. So the limit holds for a time that slides, and for all processes together.
 */
export class RateLimit {
  private readonly keys = new Map<string, Permits>();

  /**
   * @param named what the store calls the limit of a key
   * @param whose the handler's name
   */
  constructor(
    private readonly store: PermitStore,
    private readonly named: (key: string) => string,
    private readonly settings: RateLimitSettings,
    private readonly now: () => number,
    private readonly whose: string,
  ) {}

  /** Whose limit it is. @throws what the handler's `by` throws; InvalidMessageError if it gives no key */
  keyOf(payload: unknown, context: MessageContext): string {
    const { by } = this.settings;
    return by ? keyText(by(payload, context), `rateLimit.by of '${this.whose}'`) : '';
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

/** The permits of one key, and what is known of them here. */
class Permits {
  /** When each is free again, as far as this process knows; a permit that another one has taken is found out once. */
  private readonly freeAt: Float64Array;
  /** The same, with what was promised to messages that were sent away, so that they don't all come back for one permit. */
  private readonly promisedAt: Float64Array;

  constructor(
    private readonly store: PermitStore,
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
  for (let place = 1; place < times.length; place += 1) if (at(times, place) < at(times, best)) best = place;
  return best;
}

const at = (times: Float64Array, place: number): number => times[place] as number;
