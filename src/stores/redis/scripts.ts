import type { Redis } from 'ioredis';

/**
 * Keys of one kind, each asked for in one step for all who ask: Redis runs nothing else meanwhile
 * (https://redis.io/docs/latest/develop/interact/programmability/eval-intro/).
 */
export class RedisScripts {
  /** @param prefix of the keys */
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
  ) {}

  /** Runs a script in Lua, with the key as `KEYS[1]` and the rest as `ARGV`. */
  run(script: string, key: string, ...values: readonly (string | number)[]): Promise<unknown> {
    // Else a command would wait for as long as Redis is away.
    if (this.client.status !== 'ready') return Promise.reject(new Error('Redis connection is not ready'));
    return this.client.eval(script, 1, `${this.prefix}:${key}`, ...values);
  }
}
