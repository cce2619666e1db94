import type { Redis } from 'ioredis';
import type { RateLimitStore } from '../rate-limits.js';
import { GatheredScripts } from './gathered-scripts.js';
import type { GatheredScript } from './gathered-source.js';
import { RedisScripts } from './scripts.js';

/** A permit is taken while its key is there, whatever is in it. */
const TAKE: GatheredScript = {
  ...{ keys: 1, values: 1 },
  source: `
if redis.call('SET', KEYS[1], 1, 'PX', ARGV[1], 'NX') then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))`,
};

const HOLD = `
for _, key in ipairs(KEYS) do
  if redis.call('PTTL', key) < tonumber(ARGV[1]) then redis.call('SET', key, 1, 'PX', ARGV[1]) end
end`;

/** Permits of rate limits in Redis: keys with an expiry. */
export class RedisRateLimits implements RateLimitStore {
  private readonly permits: GatheredScripts;
  private readonly all: RedisScripts;

  constructor(
    private readonly client: Redis,
    keyPrefix: string,
  ) {
    this.permits = new GatheredScripts(client, keyPrefix, [TAKE]);
    this.all = new RedisScripts(client, keyPrefix);
  }

  async take(name: string, seconds: number): Promise<number> {
    return Number(await this.permits.run(TAKE, name, Math.ceil(seconds * 1_000)));
  }

  async hold(names: readonly string[], forMs: number): Promise<void> {
    const hold = (some: readonly string[]) => this.all.runOn(some, HOLD, Math.ceil(forMs));
    // The keys may be in many slots.
    if (this.client.isCluster) await Promise.all(names.map((name) => hold([name])));
    else await hold(names);
  }
}
