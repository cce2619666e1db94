import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { StoreTimeoutError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';

/** Deadline of an answer: a silently cut connection would otherwise be waited for until TCP gives up. */
export const ANSWER_WITHIN_MS = 5_000;

/**
 * Runs scripts on keys of one kind. Each script is atomic: Redis runs nothing else meanwhile
 * (https://redis.io/docs/latest/develop/interact/programmability/eval-intro/).
 */
export class RedisScripts {
  /** @param prefix prefix of the keys */
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {}

  /**
   * Runs a Lua script, with the key as `KEYS[1]` and the values as `ARGV`.
   *
   * @throws StoreTimeoutError; the errors of the client
   */
  run(script: string, key: string, ...values: readonly (string | number)[]): Promise<unknown> {
    return this.runOn([key], script, ...values);
  }

  /** The same, on several keys: `KEYS`. */
  async runOn(
    keys: readonly string[],
    script: string,
    ...values: readonly (string | number)[]
  ): Promise<unknown> {
    mustBeReady(this.client);
    const named = keys.map((key) => `${this.prefix}:${key}`);
    return inTime(this.evaluate(script, named, values), this.answerWithinMs);
  }

  /** A server knows scripts that it has run, until it is restarted or another takes its place. */
  private async evaluate(
    script: string,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.client.evalsha(digestOf(script), keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return this.client.eval(script, keys.length, ...keys, ...values);
    }
  }
}

const digests = new Map<string, string>();

/** Digest by which a server knows a script: it need not be sent, and read, again. */
function digestOf(script: string): string {
  const known = digests.get(script);
  if (known) return known;
  const digest = createHash('sha1').update(script).digest('hex');
  digests.set(script, digest);
  return digest;
}

/** Throws if the client is not connected. Without this a command would wait for as long as Redis is away. */
export function mustBeReady({ status }: Redis): void {
  if (status !== 'ready') throw new Error('Redis connection is not ready');
}

/** The answer, with a deadline. @throws StoreTimeoutError after the deadline; the command may still be executed */
export function inTime<Answer>(answer: Promise<Answer>, withinMs = ANSWER_WITHIN_MS): Promise<Answer> {
  return new Deadline(systemClock, withinMs).race(
    answer,
    () =>
      new StoreTimeoutError(
        `Redis did not answer within ${withinMs} ms`,
        'Look whether it is reachable, and whether something keeps it busy.',
      ),
  );
}
