import type { Redis } from 'ioredis';
import type { BatchCallback } from '../../message/batch.js';
import type {
  BatchChange,
  BatchCounts,
  BatchRecord,
  BatchStore,
  JobResult,
  NewBatch,
  ReservedNumbers,
} from '../batches.js';
import { CHANGE, DISPATCHED, MAY_BEGIN, NOBODY, OPEN, RESERVE, SENT } from './batch-scripts.js';

/** How many of the oldest names of the list are looked after with each new batch. */
const PRUNED_WITH_EACH = 10;

type ChangeAnswer = [
  ...counts: [number, number, number, number, number, number, number, number],
  unsent: number[],
  ...due: BatchCallback[],
];

/** Batches as four keys each, with two bits for each job, and a sorted set of their names. */
export class RedisBatches implements BatchStore {
  /** @param prefix begins the names of all keys */
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
  ) {}

  async open({ id, name, allowsFailures, callbacks, keepMs }: NewBatch): Promise<void> {
    const values = [name, allowsFailures ? 1 : 0, callbacks, Math.ceil(keepMs)];
    const createdAt = await this.run(OPEN, id, ...values);
    await this.client.zadd(this.listKey, Number(createdAt), id);
    await this.withoutGone(await this.client.zrange(this.listKey, '0', String(PRUNED_WITH_EACH - 1)));
  }

  async reserve(
    id: string,
    key: string,
    count: number,
    by?: number,
  ): Promise<ReservedNumbers | 'over' | undefined> {
    const answer = (await this.run(RESERVE, id, key, count, by ?? '')) as string | null;
    if (answer === null) return undefined;
    if (answer === 'over') return 'over';
    const [first, given, _by, unsent] = answer.split(':') as [string, string, string, string];
    return {
      first: Number(first),
      count: Number(given),
      unsent: unsent.split(',').filter(Boolean).map(Number),
    };
  }

  async dispatched(id: string, key: string, unsent: readonly number[] = []): Promise<void> {
    await this.run(DISPATCHED, id, key, unsent.join(','));
  }

  seal(id: string): Promise<BatchChange | undefined> {
    return this.change(id, 'seal', NOBODY);
  }

  async begin(id: string, number: number): Promise<'go' | 'skip' | 'ended' | undefined> {
    return ((await this.run(MAY_BEGIN, id, number)) as 'go' | 'skip' | 'ended' | null) ?? undefined;
  }

  settle(id: string, number: number, result: JobResult): Promise<BatchChange | undefined> {
    return this.change(id, 'settle', number, result);
  }

  cancel(id: string): Promise<BatchChange | undefined> {
    return this.change(id, 'cancel', NOBODY);
  }

  async sent(id: string, callback: BatchCallback): Promise<void> {
    await this.run(SENT, id, callback === 'finally' ? 'finallySent' : 'verdictSent');
  }

  async callbacks(id: string): Promise<string | undefined> {
    this.mustBeReady();
    return (await this.client.hget(this.keyOf(id), 'callbacks')) ?? undefined;
  }

  async find(id: string): Promise<BatchRecord | undefined> {
    this.mustBeReady();
    const fields = await this.client.hgetall(this.keyOf(id));
    return fields.total === undefined ? undefined : recordOf(id, fields);
  }

  async list(atMost: number): Promise<BatchRecord[]> {
    this.mustBeReady();
    const ids = await this.withoutGone(await this.client.zrange(this.listKey, '0', '-1'));
    const newest = ids.reverse().slice(0, atMost);
    const found = await Promise.all(newest.map((id) => this.find(id)));
    return found.filter((record) => record !== undefined);
  }

  private async change(
    id: string,
    what: 'seal' | 'settle' | 'cancel',
    by: number,
    result = '',
  ): Promise<BatchChange | undefined> {
    const answer = (await this.run(CHANGE, id, what, by, result)) as ChangeAnswer | null;
    if (answer === null) return undefined;
    const [total, done, failed, skipped, progress, hasCancelled, hasFinished, hasProgressed, unsent, ...due] =
      answer;
    return {
      ...({ total, done, failed, skipped, progress } as BatchCounts),
      due,
      unsent,
      hasCancelled: hasCancelled === 1,
      hasFinished: hasFinished === 1,
      hasProgressed: hasProgressed === 1,
    };
  }

  private run(script: string, id: string, ...values: (string | number)[]): Promise<unknown> {
    this.mustBeReady();
    const key = this.keyOf(id);
    return this.client.eval(script, 4, key, `${key}:ended`, `${key}:failed`, `${key}:reserved`, ...values);
  }

  /** Those whose batch is still there; the others are taken off the list. */
  private async withoutGone(ids: readonly string[]): Promise<string[]> {
    const isThere = await Promise.all(ids.map((id) => this.client.exists(this.keyOf(id))));
    const gone = ids.filter((_id, index) => isThere[index] === 0);
    if (gone.length > 0) await this.client.zrem(this.listKey, ...gone);
    return ids.filter((_id, index) => isThere[index] === 1);
  }

  /** In braces, so that a cluster keeps what belongs to one batch together. */
  private keyOf(id: string): string {
    return `${this.prefix}:batch:{${id}}`;
  }

  private get listKey(): string {
    return `${this.prefix}:batches`;
  }

  private mustBeReady(): void {
    // Else a command would wait for as long as Redis is away.
    if (this.client.status !== 'ready') throw new Error('Redis connection is not ready');
  }
}

function recordOf(id: string, fields: Record<string, string>): BatchRecord {
  const { name = '', verdict, finallyAt } = fields;
  const unsent: BatchCallback[] = [];
  if (verdict && !fields.verdictSent) unsent.push(verdict as BatchCallback);
  if (finallyAt && !fields.finallySent) unsent.push('finally');
  return {
    id,
    name,
    total: Number(fields.total),
    done: Number(fields.done),
    failed: Number(fields.failed),
    skipped: Number(fields.skipped),
    progress: Number(fields.progress),
    allowsFailures: fields.allowsFailures === '1',
    isSealed: fields.sealed !== undefined,
    isCancelled: fields.cancelled !== undefined,
    createdAt: Number(fields.createdAt),
    finishedAt: finallyAt === undefined ? undefined : Number(finallyAt),
    verdict: verdict as BatchRecord['verdict'],
    unsent,
  };
}
