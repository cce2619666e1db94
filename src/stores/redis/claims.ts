import type { Redis } from 'ioredis';
import type { ClaimStore } from '../claims.js';

/** Of a key that is done. An owner's name has a sign in front, so that none is called so. */
const DONE = 'done';
const named = (owner: string): string => `=${owner}`;

/** Each is one step for all who ask: Redis runs nothing else meanwhile (https://redis.io/docs/latest/develop/interact/programmability/eval-intro/). */
const CLAIM = `
local known = redis.call('GET', KEYS[1])
if known == '${DONE}' then return -1 end
if known and known ~= ARGV[1] then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 0`;

const FINISH = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], '${DONE}', 'PX', ARGV[2])
return 1`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`;

/** Claims as keys with an expiry: their owner, or that they are done. */
export class RedisClaims implements ClaimStore {
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
  ) {}

  async claim(key: string, owner: string, forMs: number): Promise<'claimed' | 'done' | number> {
    const answer = Number(await this.run(CLAIM, key, named(owner), forMs));
    if (answer === 0) return 'claimed';
    return answer < 0 ? 'done' : answer;
  }

  async finish(key: string, owner: string, keepMs: number): Promise<boolean> {
    return (await this.run(FINISH, key, named(owner), keepMs)) === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.run(RELEASE, key, named(owner), 0);
  }

  private run(script: string, key: string, owner: string, ms: number): Promise<unknown> {
    // Else a command would wait for as long as Redis is away.
    if (this.client.status !== 'ready') throw new Error('Redis connection is not ready');
    return this.client.eval(script, 1, `${this.prefix}:${key}`, owner, Math.ceil(ms));
  }
}
