import type { Redis } from 'ioredis';
import type { HandledKey, IdempotencyStore } from '../idempotency.js';
import { GatheredScripts } from './gathered-scripts.js';
import type { GatheredScript } from './gathered-source.js';

/** A key holds its owner, or the note of a key that is done: the first character tells them apart. */
const DONE = '+';
const named = (owner: string): string => `=${owner}`;

const CLAIM: GatheredScript = {
  ...{ keys: 1, values: 2 },
  source: `
local known = redis.call('GET', KEYS[1])
if known and known:sub(1, 1) == '${DONE}' then return known end
if known and known ~= ARGV[1] then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 0`,
};

const FINISH: GatheredScript = {
  ...{ keys: 1, values: 3 },
  source: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
return 1`,
};

const RELEASE: GatheredScript = {
  ...{ keys: 1, values: 1 },
  source: `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0`,
};

/** Keys that idempotent handlers handle, in Redis: keys with an expiry. */
export class RedisIdempotency implements IdempotencyStore {
  private readonly scripts: GatheredScripts;

  constructor(client: Redis, prefix: string) {
    this.scripts = new GatheredScripts(client, prefix, [CLAIM, FINISH, RELEASE]);
  }

  async claim(key: string, owner: string, forMs: number): Promise<'claimed' | HandledKey | number> {
    const answer = await this.scripts.run(CLAIM, key, named(owner), Math.ceil(forMs));
    if (typeof answer === 'string') return { handled: answer.slice(DONE.length) };
    return answer === 0 ? 'claimed' : Number(answer);
  }

  async finish(key: string, owner: string, keepMs: number, note: string): Promise<boolean> {
    const given = [named(owner), Math.ceil(keepMs), `${DONE}${note}`] as const;
    return (await this.scripts.run(FINISH, key, ...given)) === 1;
  }

  async release(key: string, owner: string): Promise<void> {
    await this.scripts.run(RELEASE, key, named(owner));
  }
}
