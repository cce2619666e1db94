import type { Redis } from 'ioredis';
import type { LeaseAnswer, LeaseState, LeaseStore } from '../leases.js';
import { RedisScripts } from './scripts.js';

/**
 * Time for which a fence is known after its lease has ended: a server whose clock is behind, as after a failover, gives higher ones
 * all the same.
 */
const REMEMBER_MS = 60_000;

/** What a lease is: the first character tells an owner from the others. */
const DONE = '+';
const FREE = '-';
const ownedBy = (owner: string): string => `=${owner}`;

/** Numbers are formatted as integers: Lua would write numbers of this size, microseconds since 1970, in exponential form. */
const BEGIN = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local fence, ends, state = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+) (.*)$')
fence, ends = tonumber(fence or 0), tonumber(ends or 0)
local isOver = ends <= now
local function keep(forMs, newState)
  local value = string.format('%.0f %.0f ', fence, now + forMs * 1000) .. newState
  redis.call('SET', KEYS[1], value, 'PX', forMs + ${REMEMBER_MS})
end`;

const TAKE = `${BEGIN}
if not isOver and state == '${DONE}' then return state end
if not isOver and state ~= ARGV[1] then return math.ceil((ends - now) / 1000) end
if isOver then fence = math.max(fence + 1, now) end
keep(ARGV[2], ARGV[1])
return string.format('%.0f', fence)`;

const LOOK = `${BEGIN}
if isOver and state ~= '${FREE}' then return 0 end
if isOver or state == '${DONE}' then return state end
return math.ceil((ends - now) / 1000)`;

const RENEW = `${BEGIN}
if isOver or fence ~= tonumber(ARGV[1]) or state == '${DONE}' then return 0 end
keep(ARGV[2], state)
return 1`;

const FINISH = `${BEGIN}
if isOver or fence ~= tonumber(ARGV[1]) then return 0 end
keep(ARGV[2], '${DONE}')
return 1`;

const RELEASE = `${BEGIN}
if isOver or fence ~= tonumber(ARGV[1]) or state == '${DONE}' then return 0 end
keep(0, '${FREE}')
return 1`;

/** Leases in Redis: a key has the fence, the end by Redis's clock in microseconds, and the owner; it expires a minute after that end. */
export class RedisLeases implements LeaseStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async take(name: string, owner: string, forMs: number): Promise<LeaseAnswer> {
    const answer = await this.scripts.run(TAKE, name, ownedBy(owner), Math.ceil(forMs));
    if (typeof answer === 'number') return { kind: 'held', leftMs: answer };
    return answer === DONE ? { kind: 'done' } : { kind: 'taken', fence: Number(answer) };
  }

  async look(name: string): Promise<LeaseState> {
    const answer = await this.scripts.run(LOOK, name);
    if (answer === DONE) return 'done';
    if (answer === FREE) return 'released';
    return answer === 0 ? 'free' : Number(answer);
  }

  async renew(name: string, fence: number, forMs: number): Promise<boolean> {
    return (await this.scripts.run(RENEW, name, fence, Math.ceil(forMs))) === 1;
  }

  async finish(name: string, fence: number, keepMs: number): Promise<boolean> {
    return (await this.scripts.run(FINISH, name, fence, Math.ceil(keepMs))) === 1;
  }

  async release(name: string, fence: number): Promise<void> {
    await this.scripts.run(RELEASE, name, fence);
  }
}
