import type { Redis } from 'ioredis';
import { StoreTimeoutError } from '../../errors.js';
import { systemClock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';

/** A connection that is cut without a word would be waited for until TCP gives up. */
export const ANSWER_WITHIN_MS = 5_000;

/**
 * Keys of one kind, each asked for in one step for all who ask: Redis runs nothing else meanwhile
 * (https://redis.io/docs/latest/develop/interact/programmability/eval-intro/).
 */
export class RedisScripts {
  /** @param prefix of the keys */
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {}

  /**
   * Runs a script in Lua, with the key as `KEYS[1]` and the rest as `ARGV`.
   *
   * @throws StoreTimeoutError, and what the client throws
   */
  async run(script: string, key: string, ...values: readonly (string | number)[]): Promise<unknown> {
    mustBeReady(this.client);
    const answer = this.client.eval(script, 1, `${this.prefix}:${key}`, ...values);
    return inTime(answer, this.answerWithinMs);
  }
}

/** Else a command would wait for as long as Redis is away. */
export function mustBeReady({ status }: Redis): void {
  if (status !== 'ready') throw new Error('Redis connection is not ready');
}

/** The same answer. @throws StoreTimeoutError if it does not come; what was asked may happen yet */
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
