import type { Redis } from 'ioredis';
import { type CancelAnswer, JOB_ENDS, type JobSearch, UNENDED_KEPT_MS } from '../../message/job.js';
import { stateOf } from '../../message/job-status.js';
import type {
  AddAnswer,
  BeginAnswer,
  JobBegin,
  JobEnd,
  JobPause,
  JobProgressNote,
  JobStore,
  MoveAnswer,
  NewJob,
  ReserveAnswer,
  StoredJob,
} from '../jobs.js';
import { jobOf, type RecordFields } from './job-record.js';
import { HOLDER } from './job-script-parts.js';
import { ADD, BEGIN, CANCEL, END, FIND, MOVE, PAUSE, PROGRESS, REMOVE, RESERVE } from './job-scripts.js';
import { ANSWER_WITHIN_MS, inTime, mustBeReady, RedisScripts } from './scripts.js';

/** Ids that are looked at together while a list is searched, and at most. */
const PAGE = 200;
const LOOKED_AT = 5_000;

/** Most jobs in one run of a script: it has them as arguments of commands. */
const TOGETHER = 1_000;

/** What a script is given of a job; `false` isn't there. */
type Values = readonly (string | number | readonly string[] | false)[];

/** Records of jobs in Redis: a string each, which expires, and sets of their ids; see job-script-parts.ts. */
export class RedisJobs implements JobStore {
  private readonly prefix: string;
  private readonly scripts: RedisScripts;

  /** @param keyPrefix prefix of all keys */
  constructor(
    private readonly client: Redis,
    keyPrefix: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.prefix = `${keyPrefix}:{jobs}:`;
    this.scripts = new RedisScripts(client, keyPrefix, answerWithinMs);
  }

  async add(jobs: readonly NewJob[]): Promise<AddAnswer[]> {
    const answers = await this.runAll(
      ADD,
      jobs.map(({ id, name, tags, service, routingKey, sentAt, dueAt, keepMs, message }) => {
        const untilAt = Math.max(sentAt, dueAt ?? 0) + UNENDED_KEPT_MS;
        return [
          id,
          service,
          routingKey,
          Math.ceil(sentAt),
          dueAt === undefined ? false : Math.ceil(dueAt),
          Math.ceil(keepMs),
          Math.ceil(untilAt),
          name ?? false,
          message ?? false,
          tags.length > 0 && tags,
        ];
      }),
    );
    return jobs.map((_job, place) => {
      const answer = answers.get(place);
      if (answer === undefined || answer === 'known') return answer ?? 'added';
      return { holder: answer.slice(HOLDER.length) };
    });
  }

  async remove(id: string): Promise<void> {
    await this.runOne(REMOVE, [id]);
  }

  async begin(begins: readonly JobBegin[]): Promise<BeginAnswer[]> {
    const answers = await this.runAll(
      BEGIN,
      begins.map(({ id, version, queue, handler, attempt, run, host, pid, at }) => [
        id,
        version,
        queue,
        handler ?? false,
        String(attempt),
        run,
        host,
        pid,
        Math.ceil(at),
        UNENDED_KEPT_MS,
      ]),
    );
    return begins.map((_begin, place) => {
      const answer = answers.get(place) ?? 'go';
      return answer === 'unknown' ? undefined : (answer as BeginAnswer);
    });
  }

  async pause(pauses: readonly JobPause[]): Promise<void> {
    const now = Date.now();
    await this.runAll(
      PAUSE,
      pauses.map(({ id, run, dueAt, error }) => [
        id,
        run,
        Math.ceil(dueAt),
        error ?? false,
        now,
        UNENDED_KEPT_MS,
      ]),
    );
  }

  async progress(notes: readonly JobProgressNote[]): Promise<void> {
    await this.runAll(
      PROGRESS,
      notes.map(({ id, run, percent, note, at }) => [id, run, JSON.stringify({ percent, note, at })]),
    );
  }

  async end(ends: readonly JobEnd[]): Promise<void> {
    await this.runAll(
      END,
      ends.map((end) => [
        end.id,
        end.version,
        end.state,
        end.queue,
        end.handler ?? false,
        String(end.attempt),
        Math.ceil(end.at),
        end.result ?? false,
        end.resultProblem ?? false,
        end.error ?? false,
        end.reason ?? false,
        end.deadQueue ?? false,
      ]),
    );
  }

  async cancel(id: string, at: number): Promise<CancelAnswer | undefined> {
    return (await this.runOne(CANCEL, [id, Math.ceil(at)])) as CancelAnswer | undefined;
  }

  async reserve(id: string, dueAt: number): Promise<ReserveAnswer | undefined> {
    const answer = await this.runOne(RESERVE, [id, Math.ceil(dueAt), Date.now(), UNENDED_KEPT_MS]);
    if (answer === undefined || answer === 'running' || answer === 'ended' || answer === 'no-message')
      return answer;
    const colon = answer.indexOf(':');
    return { version: Number(answer.slice(0, colon)), message: answer.slice(colon + 1) };
  }

  async move(id: string, version: number, dueAt: number): Promise<MoveAnswer | undefined> {
    const values = [id, version, Math.ceil(dueAt), Date.now(), UNENDED_KEPT_MS];
    return (await this.runOne(MOVE, values)) as MoveAnswer | undefined;
  }

  async find(ids: readonly string[]): Promise<(StoredJob | undefined)[]> {
    const found: (StoredJob | undefined)[] = [];
    for (let from = 0; from < ids.length; from += TOGETHER) {
      const asked = ids.slice(from, from + TOGETHER);
      const rows = asked.map((id) => [id]);
      const records: readonly (RecordFields | false)[] = JSON.parse((await this.run(FIND, rows)) as string);
      found.push(
        ...records.map((record, place) => (record ? jobOf(asked[place] as string, record) : undefined)),
      );
    }
    return found;
  }

  async named(name: string): Promise<string | undefined> {
    return (await this.ask(() => this.client.get(`${this.prefix}name:${name}`))) ?? undefined;
  }

  async list(
    { tag, state, atMost }: JobSearch & { readonly atMost: number },
    now: number,
  ): Promise<StoredJob[]> {
    const isSearched = (job: StoredJob) => state === undefined || state === stateOf(job, now);
    const found: StoredJob[] = [];
    if (tag === undefined && state === 'running') found.push(...(await this.running()));
    else
      for (const index of indexesOf(tag, state))
        found.push(...(await this.searched(`${this.prefix}${index}`, atMost, isSearched)));
    return found.sort((one, other) => other.sentAt - one.sentAt).slice(0, atMost);
  }

  async scheduled(atMost: number): Promise<StoredJob[]> {
    const hasNotEnded = ({ endedAt }: StoredJob) => endedAt === undefined;
    return this.searched(`${this.prefix}named`, atMost, hasNotEnded, false);
  }

  /** Jobs of an index, from its end, or from its beginning. What is forgotten leaves the index. */
  private async searched(
    index: string,
    atMost: number,
    isSearched: (job: StoredJob) => boolean,
    isFromEnd = true,
  ): Promise<StoredJob[]> {
    const found: StoredJob[] = [];
    for (let from = 0; found.length < atMost && from < LOOKED_AT; ) {
      const to = from + PAGE - 1;
      const ids = await this.ask(() =>
        isFromEnd ? this.client.zrevrange(index, from, to) : this.client.zrange(index, from, String(to)),
      );
      if (ids.length === 0) break;
      const jobs = await this.find(ids);
      const gone = ids.filter((_id, place) => jobs[place] === undefined);
      if (gone.length > 0) await this.ask(() => this.client.zrem(index, ...gone));
      found.push(...jobs.filter((job) => job !== undefined).filter(isSearched));
      from += ids.length - gone.length;
    }
    return found.slice(0, atMost);
  }

  /** Jobs that run, in no order. */
  private async running(): Promise<StoredJob[]> {
    const key = `${this.prefix}runs`;
    const ids: string[] = [];
    let cursor = '0';
    do {
      const [next, pairs] = await this.ask(() => this.client.hscan(key, cursor, 'COUNT', PAGE));
      for (let place = 0; place < pairs.length; place += 2) ids.push(pairs[place] as string);
      cursor = next;
    } while (cursor !== '0' && ids.length < LOOKED_AT);
    const jobs = await this.find([...new Set(ids)]);
    return jobs.filter((job) => job?.state === 'running') as StoredJob[];
  }

  /** What a script answers about one job. */
  private async runOne(script: string, values: Values): Promise<string | undefined> {
    return (await this.runAll(script, [values])).get(0);
  }

  /** What a script answers about those of the jobs about which there is something to say, by their places. */
  private async runAll(script: string, jobs: readonly Values[]): Promise<Map<number, string>> {
    const answers = new Map<number, string>();
    for (let from = 0; from < jobs.length; from += TOGETHER) {
      const given = jobs.length > TOGETHER ? jobs.slice(from, from + TOGETHER) : jobs;
      const told = (await this.run(script, given)) as (number | string)[];
      for (let next = 0; next < told.length; next += 2)
        answers.set(from + Number(told[next]) - 1, told[next + 1] as string);
    }
    return answers;
  }

  private run(script: string, jobs: readonly Values[]): Promise<unknown> {
    return this.scripts.run(script, '{jobs}:', jsonOf(jobs));
  }

  /** @throws StoreTimeoutError; the errors of the client */
  private async ask<Answer>(command: () => Promise<Answer>): Promise<Answer> {
    mustBeReady(this.client);
    return inTime(command(), this.answerWithinMs);
  }
}

/** Half of a character, as JSON has it: Redis's decoder refuses it. A backslash that is escaped is no beginning of one. */
const HALF_CHARACTER = /\\\\|\\ud[89a-f][0-9a-f]{2}/g;

function jsonOf(jobs: readonly Values[]): string {
  const json = JSON.stringify(jobs);
  if (!json.includes('\\ud')) return json;
  return json.replace(HALF_CHARACTER, (found) => (found.length === 2 ? found : '\uFFFD'));
}

/** The sorted sets in which jobs of a search can be. */
function indexesOf(tag: string | undefined, state: JobSearch['state']): string[] {
  if (tag !== undefined) return [`tag:${tag}`];
  if (state === undefined) return ['open', ...JOB_ENDS.map((end) => `ended:${end}`)];
  const end = JOB_ENDS.find((each) => each === state);
  return [end ? `ended:${end}` : 'open'];
}
