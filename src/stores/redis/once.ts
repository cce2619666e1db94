import type { Redis } from 'ioredis';
import type { OnceStore } from '../once.js';
import { RedisScripts } from './scripts.js';

/** Marks a reserved key without a result; it is not valid JSON. */
const PLACE = '?';

/** Written every time: a read-only server must not let a part begin. */
const RESERVE = `
local known = redis.call('GET', KEYS[1])
if known and known ~= '${PLACE}' then return known end
redis.call('SET', KEYS[1], '${PLACE}', 'PX', ARGV[1])
return false`;

const RECORD = `
local known = redis.call('GET', KEYS[1])
if known and known ~= '${PLACE}' then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`;

/** Results of parts of handlers' work in Redis: keys with an expiry. */
export class RedisOnce implements OnceStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async reserve(key: string, forMs: number): Promise<string | undefined> {
    return ((await this.scripts.run(RESERVE, key, Math.ceil(forMs))) as string | null) ?? undefined;
  }

  async record(key: string, result: string, keepMs: number): Promise<string> {
    return (await this.scripts.run(RECORD, key, result, Math.ceil(keepMs))) as string;
  }
}
