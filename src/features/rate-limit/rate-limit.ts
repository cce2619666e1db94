import { InvalidMessageError } from '../../errors.js';
import type { MessageContext } from '../../message/context.js';
import { keyText } from '../../message/wire/key-text.js';
import type { RateLimitStore } from '../../stores/rate-limits.js';
import { show } from '../../util/check.js';
import { handleRejection } from '../../util/handle-rejection.js';
import { allowed, MOST_ALLOWED, type RateLimitSettings } from './option.js';
import { Permits } from './permits.js';

/** Maximum keys whose permits are remembered here; those of others are asked for again. */
const REMEMBERED_KEYS = 10_000;

/** What a message takes a permit of. */
export interface Claim {
  readonly key: string;
  /** Number of permits that the key has for this message. */
  readonly allow: number;
}

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

  /** @throws what the handler's `by` and `allow` throw; InvalidMessageError if they give no key, or no number of permits */
  claimOf(payload: unknown, context: MessageContext): Claim {
    const { by, allow } = this.settings;
    return {
      key: by ? keyText(by(payload, context), `rateLimit.by of '${this.handler}'`) : '',
      allow: typeof allow === 'number' ? allow : this.allowedBy(allow(payload, context)),
    };
  }

  /**
   * Takes a permit.
   *
   * @returns 0 if there was one, else in how many milliseconds there may be one for this message
   * @throws what the store throws
   */
  take({ key, allow }: Claim): Promise<number> {
    return this.permitsOf(key).take(allow);
  }

  /** Keeps everybody from taking a permit of this key for a time. @throws what the store throws */
  hold({ key, allow }: Claim, forMs: number): Promise<void> {
    // Another message may have any of them.
    const most = typeof this.settings.allow === 'function' ? MOST_ALLOWED : allow;
    return this.permitsOf(key).hold(most, forMs);
  }

  private allowedBy(number: unknown): number {
    if (allowed.accepts(number)) return Number(number);
    // The answer of an async function is not awaited.
    handleRejection(number);
    throw new InvalidMessageError(
      `expected rateLimit.allow of '${this.handler}' to return ${allowed.expected}, got ${show(number)}`,
      'Give every message a number of permits; for one that must not run now, release it in the handler.',
    );
  }

  private permitsOf(key: string): Permits {
    const permits =
      this.keys.get(key) ?? new Permits(this.store, this.named(key), this.settings.everyMs, this.now);
    this.keys.delete(key);
    this.keys.set(key, permits);
    const [oldest] = this.keys.keys();
    if (this.keys.size > REMEMBERED_KEYS && oldest !== undefined) this.keys.delete(oldest);
    return permits;
  }
}
