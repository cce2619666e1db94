import type { Redis } from 'ioredis';
import type { ClaimStore } from '../claims.js';
import { RedisScripts } from './scripts.js';

/** Of a key that is done. An owner's name has a sign in front, so that none is called so. */
const DONE = 'done';
const named = (owner: string): string => `=${owner}`;

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
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async claim(key: string, owner: string, forMs: number): Promise<'claimed' | 'done' | number> {
    const answer = Number(await this.scripts.run(CLAIM, key, named(owner), Math.ceil(forMs)));
    if (answer === 0) return 'claimed';
    return answer < 0 ? 'done' : answer;
  }

  async finish(key: string, owner: string, keepMs: number): Promise<boolean> {
    return (await this.scripts.run(FINISH, key, named(owner), Math.ceil(keepMs))) === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.scripts.run(RELEASE, key, named(owner));
  }
}
