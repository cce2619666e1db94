import type { Redis } from 'ioredis';
import type { PermitAnswer, SemaphoreStore } from '../semaphores.js';
import { RedisScripts } from './scripts.js';

/**
 * Time for which the last fence is known after its permit has ended: a server whose clock is a bit behind, as after a failover, gives
 * higher ones all the same. It is short, since there may be a semaphore for each customer.
 */
const REMEMBER_MS = 10_000;

/** The member with the last fence has no owner's name. It is microseconds, and so later than any end, which is milliseconds. */
const LAST = '';
const ownedBy = (owner: string): string => `=${owner}`;

const BEGIN = `
local permits, time = KEYS[1], redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep(forMs)
  local keepMs = forMs + ${REMEMBER_MS}
  if redis.call('PTTL', permits) < keepMs then redis.call('PEXPIRE', permits, keepMs) end
end`;

const ACQUIRE = `${BEGIN}
local owner, limit = ARGV[1], tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', permits, '-inf', now)
local last = redis.call('ZSCORE', permits, '${LAST}')
if last then
  local held = redis.call('ZCARD', permits) - 1
  if held >= limit and not redis.call('ZSCORE', permits, owner) then
    local at = held - limit
    return redis.call('ZRANGE', permits, at, at, 'WITHSCORES')[2] - now
  end
end
local fence = math.max((last or 0) + 1, time[1] * 1000000 + time[2])
redis.call('ZADD', permits, now + ARGV[3], owner, fence, '${LAST}')
keep(ARGV[3])
return string.format('%.0f', fence)`;

const RENEW = `${BEGIN}
local ends = redis.call('ZSCORE', permits, ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', permits, now + ARGV[2], ARGV[1])
keep(ARGV[2])
return 1`;

const RELEASE = `
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and redis.call('ZCARD', KEYS[1]) == 1 then
  redis.call('PEXPIRE', KEYS[1], ${REMEMBER_MS})
end
return 0`;

/**
 * Semaphores in Redis: a sorted set has the owners of permits with their ends by Redis's clock, and the last fence. It expires when the
 * last permit has ended and its fence is forgotten.
 */
export class RedisSemaphores implements SemaphoreStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer> {
    const answer = await this.scripts.run(ACQUIRE, name, ownedBy(owner), limit, Math.ceil(forMs));
    if (typeof answer === 'number') return { kind: 'full', leftMs: answer };
    return { kind: 'taken', fence: Number(answer) };
  }

  async renew(name: string, owner: string, forMs: number): Promise<boolean> {
    return (await this.scripts.run(RENEW, name, ownedBy(owner), Math.ceil(forMs))) === 1;
  }

  async release(name: string, owner: string): Promise<void> {
    await this.scripts.run(RELEASE, name, ownedBy(owner));
  }
}
