import type { Clock } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';

/** Questions that are under way at once, each on a channel of its own. */
const AT_ONCE = 8;

/** Time after which another is asked for; an answer that comes later counts, too. */
const PATIENCE_MS = 1_000;

/** Time for all answers: less than a queue without a leader takes, which never answers. */
const WITHIN_MS = 8_000;

/** Asks for many queues, again and again. Those that did not answer come last the next time, and keep no others from being asked. */
export class Turns {
  /** Those that were not even asked come first. */
  private late: readonly string[] = [];

  constructor(private readonly clock: Clock) {}

  /** Answers, by name; those that are missing are not known. */
  async ask<Answer>(
    names: readonly string[],
    ask: (name: string) => Promise<Answer>,
  ): Promise<ReadonlyMap<string, Answer>> {
    const deadline = new Deadline(this.clock, WITHIN_MS);
    const late = this.late.filter((name) => names.includes(name));
    const waiting = [...names.filter((name) => !late.includes(name)), ...late];
    const asked = new Set<string>();
    const answers = new Map<string, Answer>();
    const one = async () => {
      while (!deadline.expired) {
        const name = waiting.shift();
        if (name === undefined) return;
        asked.add(name);
        const answer = ask(name).then((its) => void answers.set(name, its));
        answered.push(answer);
        await inTime(new Deadline(this.clock, PATIENCE_MS), answer);
      }
    };
    const answered: Promise<void>[] = [];
    const all = Promise.all(Array.from({ length: AT_ONCE }, one)).then(() => Promise.all(answered));
    await inTime(deadline, all);
    this.late = [...waiting, ...[...asked].filter((name) => !answers.has(name))];
    return new Map(answers);
  }
}

/** Waits for work until the deadline. @throws the work's error, before that */
async function inTime(deadline: Deadline, work: Promise<unknown>): Promise<void> {
  await deadline
    .race(work, () => new Error('there is no answer yet'))
    .catch((error) => {
      if (!deadline.expired) throw error;
    });
}
