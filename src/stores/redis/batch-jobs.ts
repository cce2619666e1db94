import type { Redis } from 'ioredis';
import { Coalesced } from '../../util/coalesced.js';
import type { JobResult } from '../batches.js';
import { JOBS } from './batch-scripts.js';
import { GatheredScripts, isRefusal } from './gathered-scripts.js';
import { mustBeReady } from './scripts.js';

/** Most jobs of a call: what Redis does for one is a few bits. */
const MOST_TOGETHER = 500;

const LETTERS: Readonly<Record<JobResult | 'begin', string>> = {
  begin: 'b',
  done: 'd',
  failed: 'f',
  skipped: 's',
};

interface Asked {
  readonly id: string;
  /** What is asked, and the job's number. */
  readonly text: string;
}

/**
 * What jobs of batches ask for, each when it begins and when it has ended. What those of one batch ask in a turn of the event loop is one
 * script, which reads and writes the batch once. An error is told to whose fault it is: the others are asked for by themselves.
 */
export class RedisBatchJobs {
  private readonly scripts: GatheredScripts;
  private readonly together: Coalesced<Asked, unknown>;

  /** @param keysOf keys of a batch, without the prefix */
  constructor(
    private readonly client: Redis,
    prefix: string,
    private readonly keysOf: (id: string) => readonly string[],
    answerWithinMs: number,
  ) {
    this.scripts = new GatheredScripts(client, prefix, [JOBS], answerWithinMs);
    this.together = new Coalesced((asked) => this.ask(asked), MOST_TOGETHER);
  }

  /** Answer of the script for one job; null if there is no such batch, or no such job in it. */
  async run(id: string, number: number, what: JobResult | 'begin'): Promise<unknown> {
    mustBeReady(this.client);
    const answer = await this.together.add({ id, text: `${LETTERS[what]}${number}` });
    if (answer instanceof Error) throw answer;
    return answer;
  }

  private async ask(asked: readonly Asked[]): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    const places = new Map<string, number[]>();
    for (const [place, { id }] of asked.entries()) {
      const known = places.get(id);
      if (known) known.push(place);
      else places.set(id, [place]);
    }
    const all = [...places].map(async ([id, its]) => {
      const texts = its.map((place) => (asked[place] as Asked).text);
      const answered = await this.askFor(id, texts);
      for (const [index, place] of its.entries()) answers[place] = answered[index];
    });
    await Promise.all(all);
    return answers;
  }

  /** Never rejects: an error is an answer. */
  private async askFor(id: string, texts: readonly string[]): Promise<readonly unknown[]> {
    try {
      const answers = (await this.scripts.runOn(this.keysOf(id), JOBS, texts.join(' '))) as unknown[] | null;
      return answers ?? texts.map(() => null);
    } catch (error) {
      // A job that may begin is only read, which may be possible where nothing can be written.
      if (texts.length === 1 || !isRefusal(error)) return texts.map(() => error);
      const alone = await Promise.all(texts.map((text) => this.askFor(id, [text])));
      return alone.flat();
    }
  }
}
