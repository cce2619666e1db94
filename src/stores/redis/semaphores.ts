import type { Redis } from 'ioredis';
import { Coalesced } from '../../util/coalesced.js';
import type { PermitAnswer, SemaphoreStore } from '../semaphores.js';
import { RedisScripts } from './scripts.js';

/**
 * Time for which the last fence is known after its permit has ended: a server whose clock is a bit behind, as after a failover, gives
 * higher ones all the same. It is short, since there may be a semaphore for each customer.
 */
const REMEMBER_MS = 10_000;

/** Maximum semaphores that are asked for together. */
const MOST_TOGETHER = 250;

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

/** Of many semaphores at once, with three values for each: owner, limit and time. */
const ACQUIRE = `${BEGIN}
local function acquire(permits, owner, limit, forMs)
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
  return string.format('%.0f', fence)
end
local answers = {}
for index, permits in ipairs(KEYS) do
  local at = 3 * (index - 1)
  answers[index] = acquire(permits, ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]))
end
return answers`;

const RENEW = `${BEGIN}
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
keep(KEYS[1], ARGV[2])
return 1`;

/** Of many semaphores at once, with an owner for each. */
const RELEASE = `
for index, permits in ipairs(KEYS) do
  if redis.call('ZREM', permits, ARGV[index]) == 1 and redis.call('ZCARD', permits) == 1 then
    redis.call('PEXPIRE', permits, ${REMEMBER_MS})
  end
end
return 0`;

interface Ask {
  readonly name: string;
  readonly values: readonly [owner: string, limit: number, forMs: number];
}

interface Held {
  readonly name: string;
  readonly owner: string;
}

/**
 * Semaphores in Redis: a sorted set has the owners of permits with their ends by Redis's clock, and the last fence. It expires when the
 * last permit has ended and its fence is forgotten. What is asked while an answer is under way goes together, in one command: where each
 * message takes a permit and gives it back, the commands would cost more than the permits.
 */
export class RedisSemaphores implements SemaphoreStore {
  private readonly scripts: RedisScripts;
  private readonly acquiring: Coalesced<Ask, number | string>;
  private readonly releasing: Coalesced<Held, void>;

  constructor(client: Redis, prefix: string) {
    const scripts = new RedisScripts(client, prefix);
    this.scripts = scripts;
    this.acquiring = new Coalesced(async (asks) => {
      const names = asks.map(({ name }) => name);
      const answers = await scripts.runOn(names, ACQUIRE, ...asks.flatMap(({ values }) => values));
      return answers as (number | string)[];
    }, MOST_TOGETHER);
    this.releasing = new Coalesced<Held, void>(async (permits) => {
      const names = permits.map(({ name }) => name);
      await scripts.runOn(names, RELEASE, ...permits.map(({ owner }) => owner));
      return [];
    }, MOST_TOGETHER);
  }

  async acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer> {
    const answer = await this.acquiring.add({ name, values: [ownedBy(owner), limit, Math.ceil(forMs)] });
    if (typeof answer === 'number') return { kind: 'full', leftMs: Math.max(1, answer) };
    return { kind: 'taken', fence: Number(answer) };
  }

  async renew(name: string, owner: string, forMs: number): Promise<boolean> {
    return (await this.scripts.run(RENEW, name, ownedBy(owner), Math.ceil(forMs))) === 1;
  }

  release(name: string, owner: string): Promise<void> {
    return this.releasing.add({ name, owner: ownedBy(owner) });
  }
}
