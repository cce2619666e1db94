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

/**
 * Of many semaphores at once: `ARGV[1]` permits that are given back, with an owner for each, and then those that are asked for, with three
 * values for each: owner, limit and time. What is given back goes first: it is free for who asks, and is so even if Redis takes no new keys.
 */
const CHANGE = `${BEGIN}
local function release(permits, owner)
  if redis.call('ZREM', permits, owner) == 1 and redis.call('ZCARD', permits) == 1 then
    redis.call('PEXPIRE', permits, ${REMEMBER_MS})
  end
end
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
local back = tonumber(ARGV[1])
for index = 1, back do release(KEYS[index], ARGV[index + 1]) end
local answers = {}
for index = back + 1, #KEYS do
  local at = 3 * index - 2 * back - 1
  answers[index - back] = acquire(KEYS[index], ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]))
end
return answers`;

const RENEW = `${BEGIN}
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
keep(KEYS[1], ARGV[2])
return 1`;

/** A permit that is asked for, or given back. */
interface Change {
  readonly name: string;
  readonly owner: string;
  /** Undefined for one that is given back. */
  readonly asked?: readonly [limit: number, forMs: number];
}

/**
 * Semaphores in Redis: a sorted set has the owners of permits with their ends by Redis's clock, and the last fence. It expires when the
 * last permit has ended and its fence is forgotten. What is asked while an answer is under way goes together, in one command: where each
 * message takes a permit and gives it back, the commands would cost more than the permits.
 */
export class RedisSemaphores implements SemaphoreStore {
  private readonly scripts: RedisScripts;
  private readonly changes: Coalesced<Change, PermitAnswer | undefined>;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
    this.changes = new Coalesced((changes) => this.change(changes), MOST_TOGETHER);
  }

  acquire(name: string, limit: number, owner: string, forMs: number): Promise<PermitAnswer> {
    const asked = { name, owner: ownedBy(owner), asked: [limit, Math.ceil(forMs)] } as const;
    return this.changes.add(asked) as Promise<PermitAnswer>;
  }

  async renew(name: string, owner: string, forMs: number): Promise<boolean> {
    return (await this.scripts.run(RENEW, name, ownedBy(owner), Math.ceil(forMs))) === 1;
  }

  release(name: string, owner: string): Promise<void> {
    return this.changes.add({ name, owner: ownedBy(owner) }) as Promise<undefined>;
  }

  private async change(changes: readonly Change[]): Promise<readonly (PermitAnswer | undefined)[]> {
    const names: string[] = [];
    const owners: string[] = [];
    for (const { name, owner, asked } of changes) {
      if (asked) continue;
      names.push(name);
      owners.push(owner);
    }
    const values: (string | number)[] = [owners.length, ...owners];
    for (const { name, owner, asked } of changes) {
      if (!asked) continue;
      names.push(name);
      values.push(owner, ...asked);
    }
    const answers = (await this.scripts.runOn(names, CHANGE, ...values)) as (number | string)[];
    let next = 0;
    return changes.map(({ asked }) => (asked ? permitAnswer(answers[next++]) : undefined));
  }
}

/** Milliseconds that are left are a number, a fence is text: it is higher than the numbers of scripts. */
function permitAnswer(answer: number | string | undefined): PermitAnswer {
  if (typeof answer === 'number') return { kind: 'full', leftMs: Math.max(1, answer) };
  return { kind: 'taken', fence: Number(answer) };
}
