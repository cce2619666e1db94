import type { Redis } from 'ioredis';
import type { UniqueStore } from '../unique.js';
import { GatheredScripts } from './gathered-scripts.js';
import type { GatheredScript } from './gathered-source.js';

const ACQUIRE: GatheredScript = {
  ...{ keys: 1, values: 2 },
  source: `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return owner end
if not owner or redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return false`,
};

const EXTEND: GatheredScript = {
  ...{ keys: 1, values: 2 },
  source: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
};

const RELEASE: GatheredScript = {
  ...{ keys: 1, values: 1, isFirst: true },
  source: `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`,
};

/** Numbers are formatted as integers: Lua would write a number of this size in exponential form. */
const KEEP = `
local function write(field, number)
  redis.call('HSET', KEYS[1], field, string.format('%.0f', number))
  if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
end
local given = tonumber(redis.call('HGET', KEYS[1], 'given') or '0')
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')`;

const NEXT: GatheredScript = {
  ...{ keys: 1, values: 1 },
  source: `${KEEP}
local time = redis.call('TIME')
local number = math.max(time[1] * 1000000 + time[2], given + 1, latest + 1)
write('given', number)
return string.format('%.0f', number)`,
};

const ADVANCE: GatheredScript = {
  ...{ keys: 1, values: 2 },
  source: `${KEEP}
local number = tonumber(ARGV[2])
write('latest', math.max(latest, number))
if number >= latest then return 1 end
return 0`,
};

/**
 * Keys of unique messages in Redis: a lock is a key with an expiry, whose value is the owner; a sequence is a hash with an
 * expiry, of the last number and the latest that counts.
 */
export class RedisUnique implements UniqueStore {
  private readonly locks: GatheredScripts;
  private readonly sequences: GatheredScripts;

  constructor(client: Redis, keyPrefix: string) {
    this.locks = new GatheredScripts(client, `${keyPrefix}:lock`, [ACQUIRE, EXTEND, RELEASE]);
    this.sequences = new GatheredScripts(client, `${keyPrefix}:sequence`, [NEXT, ADVANCE]);
  }

  async acquire(key: string, owner: string, forMs: number): Promise<string | undefined> {
    return ((await this.locks.run(ACQUIRE, key, owner, Math.ceil(forMs))) as string | null) ?? undefined;
  }

  async extend(key: string, owner: string, forMs: number): Promise<boolean> {
    return (await this.locks.run(EXTEND, key, owner, Math.ceil(forMs))) === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.locks.run(RELEASE, key, owner);
  }

  async next(key: string, keepMs: number): Promise<number> {
    return Number(await this.sequences.run(NEXT, key, Math.ceil(keepMs)));
  }

  async advance(key: string, number: number, keepMs: number): Promise<boolean> {
    return (await this.sequences.run(ADVANCE, key, Math.ceil(keepMs), number)) === 1;
  }
}
