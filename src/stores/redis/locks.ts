import type { Redis } from 'ioredis';
import type { LockStore } from '../locks.js';
import { RedisScripts } from './scripts.js';

const ACQUIRE = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return owner end
if not owner or redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return false`;

const EXTEND = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`;

/** Locks in Redis: keys with an expiry, whose value is the owner. */
export class RedisLocks implements LockStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async acquire(key: string, owner: string, forMs: number): Promise<string | undefined> {
    return ((await this.scripts.run(ACQUIRE, key, owner, Math.ceil(forMs))) as string | null) ?? undefined;
  }

  async extend(key: string, owner: string, forMs: number): Promise<boolean> {
    return (await this.scripts.run(EXTEND, key, owner, Math.ceil(forMs))) === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.scripts.run(RELEASE, key, owner);
  }
}
