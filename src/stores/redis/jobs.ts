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
  StoredJobState,
} from '../jobs.js';
import { ADD, BEGIN, CANCEL, END, HOLDER, MOVE, PAUSE, PROGRESS, REMOVE, RESERVE } from './job-scripts.js';
import { ANSWER_WITHIN_MS, inTime, mustBeReady, RedisScripts } from './scripts.js';

/** Ids that are looked at together while a list is searched, and at most. */
const PAGE = 200;
const LOOKED_AT = 5_000;

type Value = string | number | undefined;

/** Records of jobs in Redis: a hash each, which expires, and sorted sets of their ids; see job-scripts.ts. */
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
    const answers = await this.run(
      ADD,
      jobs.flatMap(({ id, name, tags, service, routingKey, sentAt, dueAt, keepMs, message }) => {
        const data = JSON.stringify({ tags: tags.length > 0 ? tags : undefined, service, routingKey });
        const untilAt = Math.max(sentAt, dueAt ?? 0) + UNENDED_KEPT_MS;
        const tagText = tags.length > 0 ? JSON.stringify(tags) : undefined;
        return [id, data, whole(sentAt), whole(dueAt), whole(keepMs), whole(untilAt), name, message, tagText];
      }),
    );
    return answers.map((answer) =>
      answer === 'added' || answer === 'known' ? answer : { holder: answer.slice(HOLDER.length) },
    );
  }

  async remove(id: string): Promise<void> {
    await this.run(REMOVE, [id]);
  }

  async begin(begins: readonly JobBegin[]): Promise<BeginAnswer[]> {
    const answers = await this.run(
      BEGIN,
      begins.flatMap(({ id, version, queue, handler, attempt, run, host, pid, at }) => [
        ...[id, version, queue, handler, attempt, run, host, pid, whole(at), UNENDED_KEPT_MS],
      ]),
    );
    return answers.map((answer) => (answer || undefined) as BeginAnswer);
  }

  async pause(pauses: readonly JobPause[]): Promise<void> {
    const now = Date.now();
    await this.run(
      PAUSE,
      pauses.flatMap(({ id, run, dueAt, error }) => [id, run, whole(dueAt), error, now, UNENDED_KEPT_MS]),
    );
  }

  async progress(notes: readonly JobProgressNote[]): Promise<void> {
    await this.run(
      PROGRESS,
      notes.flatMap(({ id, run, percent, note, at }) => [id, run, percent, note, whole(at)]),
    );
  }

  async end(ends: readonly JobEnd[]): Promise<void> {
    await this.run(
      END,
      ends.flatMap(({ id, version, state, queue, handler, attempt, at, ...end }) => [
        ...[id, version, state, queue, handler, attempt, whole(at)],
        ...[end.result, end.resultProblem, end.error, end.reason, end.deadQueue],
      ]),
    );
  }

  async cancel(id: string, at: number): Promise<CancelAnswer | undefined> {
    const [answer] = await this.run(CANCEL, [id, whole(at)]);
    return (answer || undefined) as CancelAnswer | undefined;
  }

  async reserve(id: string, dueAt: number): Promise<ReserveAnswer | undefined> {
    const [answer = ''] = await this.run(RESERVE, [id, whole(dueAt), Date.now(), UNENDED_KEPT_MS]);
    if (answer === '') return undefined;
    if (answer === 'running' || answer === 'ended' || answer === 'no-message') return answer;
    const colon = answer.indexOf(':');
    return { version: Number(answer.slice(0, colon)), message: answer.slice(colon + 1) };
  }

  async move(id: string, version: number, dueAt: number): Promise<MoveAnswer | undefined> {
    const [answer] = await this.run(MOVE, [id, version, whole(dueAt), Date.now(), UNENDED_KEPT_MS]);
    return (answer || undefined) as MoveAnswer | undefined;
  }

  async find(ids: readonly string[]): Promise<(StoredJob | undefined)[]> {
    if (ids.length === 0) return [];
    const pipeline = this.client.pipeline();
    for (const id of ids) pipeline.hgetall(`${this.prefix}job:${id}`);
    const answers = await this.ask(() => pipeline.exec());
    return ids.map((id, index) => {
      const [error, fields] = answers?.[index] ?? [];
      if (error) throw error;
      const known = fields as Record<string, string> | undefined;
      return known?.s === undefined ? undefined : jobOf(id, known);
    });
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

  private async run(script: string, values: readonly Value[]): Promise<string[]> {
    if (values.length === 0) return [];
    const given = values.map((value) => value ?? '');
    return (await this.scripts.run(script, '{jobs}:', ...given)) as string[];
  }

  /** @throws StoreTimeoutError; the errors of the client */
  private async ask<Answer>(command: () => Promise<Answer>): Promise<Answer> {
    mustBeReady(this.client);
    return inTime(command(), this.answerWithinMs);
  }
}

/** Milliseconds without a fraction, as scripts and expiries need them. */
function whole(ms: number): number;
function whole(ms: number | undefined): number | undefined;
function whole(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.ceil(ms);
}

/** The sorted sets in which jobs of a search can be. */
function indexesOf(tag: string | undefined, state: JobSearch['state']): string[] {
  if (tag !== undefined) return [`tag:${tag}`];
  if (state === undefined) return ['open', ...JOB_ENDS.map((end) => `ended:${end}`)];
  const end = JOB_ENDS.find((each) => each === state);
  if (end) return [`ended:${end}`];
  return [state === 'running' ? 'running' : 'open'];
}

function jobOf(id: string, known: Record<string, string>): StoredJob {
  const { tags = [], service, routingKey } = JSON.parse(known.d ?? '{}');
  const text = (name: string) => known[name] || undefined;
  const number = (name: string) => (known[name] ? Number(known[name]) : undefined);
  const isRunning = known.s === 'running';
  const endedAt = number('z');
  return {
    ...{ id, tags, service, routingKey, endedAt },
    name: text('name'),
    state: known.s as StoredJobState,
    queue: text('q'),
    handler: text('h'),
    attempt: number('a') ?? 0,
    version: Number(known.v),
    sentAt: Number(known.t),
    dueAt: number('due'),
    startedAt: number('f'),
    run: isRunning ? { host: known.host ?? '', pid: Number(known.pid), since: Number(known.b) } : undefined,
    progress:
      known.pp === undefined
        ? undefined
        : { percent: Number(known.pp), note: text('pn'), at: Number(known.pa) },
    result: text('result'),
    resultProblem: text('problem'),
    error: text('e'),
    reason: text('reason'),
    deadQueue: text('dead'),
    isCancelling: known.c !== undefined && endedAt === undefined,
  };
}
