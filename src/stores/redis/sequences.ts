import type { Redis } from 'ioredis';
import type { SequenceStore } from '../sequences.js';
import { RedisScripts } from './scripts.js';

/** Numbers are formatted as integers: Lua would write a number of this size in exponential form. */
const KEEP = `
local function write(field, number)
  redis.call('HSET', KEYS[1], field, string.format('%.0f', number))
  if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
end
local given = tonumber(redis.call('HGET', KEYS[1], 'given') or '0')
local latest = tonumber(redis.call('HGET', KEYS[1], 'latest') or '0')`;

const NEXT = `${KEEP}
local time = redis.call('TIME')
local number = math.max(time[1] * 1000000 + time[2], given + 1, latest + 1)
write('given', number)
return string.format('%.0f', number)`;

const ADVANCE = `${KEEP}
local number = tonumber(ARGV[2])
write('latest', math.max(latest, number))
if number >= latest then return 1 end
return 0`;

/** Sequences in Redis: hashes with an expiry, of the last number and the latest that counts. */
export class RedisSequences implements SequenceStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async next(key: string, keepMs: number): Promise<number> {
    return Number(await this.scripts.run(NEXT, key, Math.ceil(keepMs)));
  }

  async advance(key: string, number: number, keepMs: number): Promise<boolean> {
    return (await this.scripts.run(ADVANCE, key, Math.ceil(keepMs), number)) === 1;
  }
}
