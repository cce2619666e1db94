import type { Redis } from 'ioredis';
import type { StoredNotification } from '../../message/batch.js';
import type {
  BatchChange,
  BatchStore,
  Closed,
  JobResult,
  NewBatch,
  ReservedNumbers,
  StoredBatch,
  StoredCounts,
} from '../batches.js';
import { RedisBatchJobs } from './batch-jobs.js';
import { CHANGE, DISPATCHED, IS_OVERDUE, OPEN, RESERVE, SENT } from './batch-scripts.js';
import { ANSWER_WITHIN_MS, inTime, mustBeReady, RedisScripts } from './scripts.js';

/**
 * Names that each new batch checks, at a random position of the list, since the oldest may live longest. As one
 * name is added each time, at most a tenth of the list are batches that are gone.
 */
const PRUNED_WITH_EACH = 10;

/** Unfinished batches that are checked for overdue notifications; a random choice if there are more. */
const LOOKED_AT = 500;

type ChangeAnswer = [
  ...counts: [number, number, number, number, number, number, number, number],
  unsent: number[],
  ...due: StoredNotification[],
];

/**
 * Batches in Redis: four keys each, with two bits per job, and a sorted set of their names. A set per service
 * has its unfinished batches.
 */
export class RedisBatches implements BatchStore {
  private readonly scripts: RedisScripts;
  /** What each job asks for. */
  private readonly jobs: RedisBatchJobs;

  /** @param prefix prefix of all keys */
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
    private readonly answerWithinMs = ANSWER_WITHIN_MS,
  ) {
    this.scripts = new RedisScripts(client, prefix, answerWithinMs);
    this.jobs = new RedisBatchJobs(client, prefix, keysOf, answerWithinMs);
  }

  async open({ id, name, service, allowsFailures, notifications, keepMs }: NewBatch): Promise<void> {
    const values = [name, allowsFailures ? 1 : 0, notifications, Math.ceil(keepMs), service];
    const createdAt = await this.run(OPEN, id, ...values);
    await this.ask(() => this.client.zadd(this.listKey, Number(createdAt), id));
    await this.ask(() => this.client.sadd(this.openKey(service), id));
    await this.prune();
  }

  async reserve(
    id: string,
    key: string,
    count: number,
    by?: number,
  ): Promise<ReservedNumbers | Closed | undefined> {
    const answer = (await this.run(RESERVE, id, key, count, by ?? '')) as string | null;
    if (answer === null) return undefined;
    if (answer === 'cancelled' || answer === 'closed') return answer;
    const [first, numbers, _by, unsent] = answer.split(':') as [string, string, string, string];
    return {
      first: Number(first),
      count: Number(numbers),
      unsent: unsent.split(',').filter(Boolean).map(Number),
    };
  }

  async dispatched(id: string, key: string, unsent: readonly number[] = []): Promise<void> {
    await this.run(DISPATCHED, id, key, unsent.join(','));
  }

  seal(id: string): Promise<BatchChange | undefined> {
    return this.change(id, 'seal');
  }

  async begin(id: string, number: number): Promise<'go' | 'skip' | 'ended' | undefined> {
    return ((await this.jobs.run(id, number, 'begin')) as 'go' | 'skip' | 'ended' | null) ?? undefined;
  }

  async settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined> {
    return changeOf(await this.jobs.run(id, number, result));
  }

  cancel(id: string): Promise<BatchChange | undefined> {
    return this.change(id, 'cancel');
  }

  async sent(id: string, notification: StoredNotification): Promise<void> {
    const service = await this.run(SENT, id, notification === 'finally' ? 'finallySent' : 'verdictSent');
    if (typeof service === 'string') await this.ask(() => this.client.srem(this.openKey(service), id));
  }

  async overdue(service: string, atMost: number): Promise<string[]> {
    const key = this.openKey(service);
    const ids = await this.ask(() => this.client.srandmember(key, LOOKED_AT));
    const answers = await Promise.all(ids.map((id) => this.run(IS_OVERDUE, id)));
    const over = ids.filter((_id, index) => answers[index] === null);
    if (over.length > 0) await this.ask(() => this.client.srem(key, ...over));
    return ids.filter((_id, index) => answers[index] === 1).slice(0, atMost);
  }

  async notifications(id: string): Promise<string | undefined> {
    return (await this.ask(() => this.client.hget(this.keyOf(id), 'callbacks'))) ?? undefined;
  }

  async find(id: string): Promise<StoredBatch | undefined> {
    const fields = await this.ask(() => this.client.hgetall(this.keyOf(id)));
    return fields.total === undefined ? undefined : batchOf(id, fields);
  }

  async list(atMost: number): Promise<StoredBatch[]> {
    const found: StoredBatch[] = [];
    for (let from = 0; found.length < atMost; ) {
      const to = from + atMost - 1;
      const ids = await this.ask(() => this.client.zrevrange(this.listKey, from, to));
      if (ids.length === 0) break;
      const records = await Promise.all(ids.map((id) => this.find(id)));
      const gone = ids.filter((_id, index) => !records[index]);
      await this.takeOff(gone);
      found.push(...records.filter((record) => record !== undefined));
      from += ids.length - gone.length;
    }
    return found.slice(0, atMost);
  }

  private async change(id: string, what: 'seal' | 'cancel'): Promise<BatchChange | undefined> {
    return changeOf(await this.run(CHANGE, id, what));
  }

  private run(script: string, id: string, ...values: (string | number)[]): Promise<unknown> {
    return this.scripts.runOn(keysOf(id), script, ...values);
  }

  private async prune(): Promise<void> {
    const length = await this.ask(() => this.client.zcard(this.listKey));
    const from = Math.floor(Math.random() * Math.max(1, length - PRUNED_WITH_EACH + 1));
    const to = String(from + PRUNED_WITH_EACH - 1);
    const ids = await this.ask(() => this.client.zrange(this.listKey, String(from), to));
    const isThere = await Promise.all(ids.map((id) => this.ask(() => this.client.exists(this.keyOf(id)))));
    await this.takeOff(ids.filter((_id, index) => isThere[index] === 0));
  }

  private async takeOff(gone: readonly string[]): Promise<void> {
    if (gone.length > 0) await this.ask(() => this.client.zrem(this.listKey, ...gone));
  }

  private keyOf(id: string): string {
    return `${this.prefix}:${batchKey(id)}`;
  }

  /** Key of the set of a service's batches with notifications to be sent. */
  private openKey(service: string): string {
    return `${this.prefix}:batches:open:${service}`;
  }

  private get listKey(): string {
    return `${this.prefix}:batches`;
  }

  /** @throws StoreTimeoutError; the errors of the client */
  private async ask<Answer>(command: () => Promise<Answer>): Promise<Answer> {
    mustBeReady(this.client);
    return inTime(command(), this.answerWithinMs);
  }
}

function changeOf(answer: unknown): BatchChange | undefined {
  if (answer === null) return undefined;
  const [total, done, failed, skipped, progress, hasCancelled, hasFinished, hasProgressed, unsent, ...due] =
    answer as ChangeAnswer;
  return {
    ...({ total, done, failed, skipped, progress } as StoredCounts),
    due,
    unsent,
    hasCancelled: hasCancelled === 1,
    hasFinished: hasFinished === 1,
    hasProgressed: hasProgressed === 1,
  };
}

/** In braces, so that a cluster keeps the keys of a batch together. */
const batchKey = (id: string): string => `batch:{${id}}`;

/** Keys of a batch's scripts, without their prefix. */
function keysOf(id: string): readonly string[] {
  const key = batchKey(id);
  return [key, `${key}:ended`, `${key}:failed`, `${key}:reserved`];
}

function batchOf(id: string, fields: Record<string, string>): StoredBatch {
  const { name = '', verdict, finallyAt } = fields;
  const unsent: StoredNotification[] = [];
  if (verdict && !fields.verdictSent) unsent.push(verdict as StoredNotification);
  if (finallyAt && !fields.finallySent) unsent.push('finally');
  return {
    ...{ id, name, unsent },
    total: Number(fields.total),
    done: Number(fields.done),
    failed: Number(fields.failed),
    skipped: Number(fields.skipped),
    progress: Number(fields.progress),
    allowsFailures: fields.allowsFailures === '1',
    initial: Number(fields.initial ?? 0),
    isSealed: fields.sealed !== undefined,
    isCancelled: fields.cancelled !== undefined,
    createdAt: Number(fields.createdAt),
    finishedAt: finallyAt === undefined ? undefined : Number(finallyAt),
    verdict: verdict as StoredBatch['verdict'],
  };
}
