import type { Redis } from 'ioredis';
import type { LedgerStore } from '../ledger.js';
import { RedisScripts } from './scripts.js';

const READ = `return redis.call('GET', KEYS[1])`;

const RECORD = `
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`;

/** Results as keys with an expiry. */
export class RedisLedger implements LedgerStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async read(key: string): Promise<string | undefined> {
    return ((await this.scripts.run(READ, key)) as string | null) ?? undefined;
  }

  async record(key: string, result: string, keepMs: number): Promise<string> {
    return (await this.scripts.run(RECORD, key, result, Math.ceil(keepMs))) as string;
  }
}
