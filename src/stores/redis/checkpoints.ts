import type { Redis } from 'ioredis';
import type { CheckpointStore } from '../checkpoints.js';
import { RedisScripts } from './scripts.js';

const LOAD = `return redis.call('HGET', KEYS[1], 'state')`;

const SAVE = `
local fence = redis.call('HGET', KEYS[1], 'fence')
if fence and tonumber(fence) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'fence', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

const FORGET = `return redis.call('DEL', KEYS[1])`;

/** What handlers have done so far, in Redis: a hash with an expiry, of the state and the fence of the run that has saved it. */
export class RedisCheckpoints implements CheckpointStore {
  private readonly scripts: RedisScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new RedisScripts(client, prefix);
  }

  async load(key: string): Promise<string | undefined> {
    return ((await this.scripts.run(LOAD, key)) as string | null) ?? undefined;
  }

  async save(key: string, state: string, fence: number, keepMs: number): Promise<boolean> {
    return (await this.scripts.run(SAVE, key, state, fence, Math.ceil(keepMs))) === 1;
  }

  async forget(key: string): Promise<void> {
    await this.scripts.run(FORGET, key);
  }
}
