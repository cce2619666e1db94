import type { Redis } from 'ioredis';
import { Coalesced } from '../../util/coalesced.js';
import { type GatheredScript, gatheredSource } from './gathered-source.js';
import { ANSWER_WITHIN_MS, mustBeReady, RedisScripts } from './scripts.js';

/** Most scripts of a call: Redis does nothing else meanwhile. */
const MOST_TOGETHER = 200;

type Value = string | number;

interface Asked {
  readonly script: GatheredScript;
  readonly keys: readonly string[];
  readonly values: readonly Value[];
}

/**
 * Runs scripts of one store. What is asked for in one turn of the event loop, or while earlier calls are under way, goes in one call: where
 * each message has a command or two, these cost the process more than the message. One alone goes as it is, at once. Each script is one step, and an error is that of its own.
 *
 * Of a cluster the keys of one call must be in one slot: there each goes by itself.
 */
export class GatheredScripts {
  private readonly single: RedisScripts;
  private readonly numbers: ReadonlyMap<GatheredScript, number>;
  private readonly source: string;
  private readonly together: Coalesced<Asked, unknown>;

  /**
   * @param prefix prefix of the keys
   * @param scripts all that are run here
   */
  constructor(
    private readonly client: Redis,
    prefix: string,
    scripts: readonly GatheredScript[],
    answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.single = new RedisScripts(client, prefix, answerWithinMs);
    this.numbers = new Map(scripts.map((script, number) => [script, number]));
    this.source = gatheredSource(scripts);
    this.together = new Coalesced((asked) => this.ask(asked), MOST_TOGETHER);
  }

  /**
   * Runs a script, with the key as `KEYS[1]` and the values as `ARGV`.
   *
   * @throws StoreTimeoutError; the errors of the client, and of the script
   */
  run(script: GatheredScript, key: string, ...values: readonly Value[]): Promise<unknown> {
    return this.runOn([key], script, ...values);
  }

  /** The same, on several keys: `KEYS`. */
  async runOn(
    keys: readonly string[],
    script: GatheredScript,
    ...values: readonly Value[]
  ): Promise<unknown> {
    mustBeReady(this.client);
    const asked = { script, keys, values };
    const answer = await (this.client.isCluster ? this.alone(asked) : this.together.add(asked));
    if (answer instanceof Error) throw answer;
    return answer;
  }

  private async ask(asked: readonly Asked[]): Promise<readonly unknown[]> {
    const [only] = asked;
    if (asked.length === 1 && only) return [await this.alone(only)];
    const isFirst = asked.filter(({ script }) => script.isFirst);
    const inOrder =
      isFirst.length > 0 ? [...isFirst, ...asked.filter(({ script }) => !script.isFirst)] : asked;
    const answers = await this.callFor(inOrder);
    if (inOrder === asked) return answers;
    const answerOf = new Map(inOrder.map((each, index) => [each, answers[index]]));
    return asked.map((each) => answerOf.get(each));
  }

  private async callFor(asked: readonly Asked[]): Promise<readonly unknown[]> {
    const keys: string[] = [];
    const values: Value[] = [];
    for (const each of asked) {
      keys.push(...each.keys);
      values.push(this.numbers.get(each.script) as number, ...each.values);
    }
    try {
      return (await this.single.runOn(keys, this.source, ...values)) as unknown[];
    } catch (error) {
      // The server has refused the call, and done nothing: it is the fault of one, or of each.
      if (!isRefusal(error)) throw error;
      return Promise.all(asked.map((each) => this.alone(each).catch((its: Error) => its)));
    }
  }

  private alone({ keys, script, values }: Asked): Promise<unknown> {
    return this.single.runOn(keys, script.source, ...values);
  }
}

/** True for what the server has answered, as against a connection that is lost, or no answer at all. */
export const isRefusal = (error: unknown): boolean => (error as Error).name === 'ReplyError';
