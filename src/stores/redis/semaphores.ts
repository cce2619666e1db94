import type { Redis } from 'ioredis';
import type { PermitAnswer, SemaphoreStore } from '../semaphores.js';
import { GatheredScripts } from './gathered-scripts.js';
import type { GatheredScript } from './gathered-source.js';

/**
 * Time for which the last fence is known after its permit has ended: a server whose clock is a bit behind, as after a failover, gives
 * higher ones all the same. It is short, since there may be a semaphore for each customer.
 */
const REMEMBER_MS = 10_000;

/** The member with the last fence has no owner's name. It is microseconds, and so later than any end, which is milliseconds. */
const LAST = '';
const ownedBy = (owner: string): string => `=${owner}`;

const BEGIN = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep(permits, forMs)
  local keepMs = forMs + ${REMEMBER_MS}
  if redis.call('PTTL', permits) < keepMs then redis.call('PEXPIRE', permits, keepMs) end
end`;

const ACQUIRE: GatheredScript = {
  ...{ keys: 1, values: 3 },
  source: `${BEGIN}
local permits, owner, limit, forMs = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local last = redis.call('ZSCORE', permits, '${LAST}')
if last then
  redis.call('ZREMRANGEBYSCORE', permits, '-inf', now)
  local held = redis.call('ZCARD', permits) - 1
  if held >= limit and not redis.call('ZSCORE', permits, owner) then
    local at = held - limit
    return redis.call('ZRANGE', permits, at, at, 'WITHSCORES')[2] - now
  end
end
local fence = math.max((last or 0) + 1, time[1] * 1000000 + time[2])
redis.call('ZADD', permits, now + forMs, owner, fence, '${LAST}')
keep(permits, forMs)
return string.format('%.0f', fence)`,
};

/** Goes first: it is free for who asks, and is so even if Redis takes no new keys. */
const RELEASE: GatheredScript = {
  ...{ keys: 1, values: 1, isFirst: true },
  source: `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and redis.call('ZCARD', KEYS[1]) == 1 then
  redis.call('PEXPIRE', KEYS[1], ${REMEMBER_MS})
end
return 0`,
};

const RENEW: GatheredScript = {
  ...{ keys: 1, values: 2 },
  source: `${BEGIN}
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
keep(KEYS[1], ARGV[2])
return 1`,
};

/**
 * Semaphores in Redis: a sorted set has the owners of permits with their ends by Redis's clock, and the last fence. It expires when the
 * last permit has ended and its fence is forgotten.
 */
export class RedisSemaphores implements SemaphoreStore {
  private readonly scripts: GatheredScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new GatheredScripts(client, prefix, [RELEASE, ACQUIRE, RENEW]);
  }

  async acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer> {
    return permitAnswer(await this.scripts.run(ACQUIRE, name, ownedBy(owner), limit, Math.ceil(forMs)));
  }

  async renew(name: string, owner: string, forMs: number): Promise<boolean> {
    return (await this.scripts.run(RENEW, name, ownedBy(owner), Math.ceil(forMs))) === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    await this.scripts.run(RELEASE, name, ownedBy(owner));
  }
}

/** Milliseconds that are left are a number, a fence is text: it is higher than the numbers of scripts. */
function permitAnswer(answer: unknown): PermitAnswer {
  if (typeof answer === 'number') return { kind: 'full', leftMs: Math.max(1, answer) };
  return { kind: 'taken', fence: Number(answer) };
}
