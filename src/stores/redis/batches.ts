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

/** Of a call that is no job's. */
const NOBODY = -1;

/** How many of the oldest names of the list are looked after with each new batch. */
const PRUNED_WITH_EACH = 10;

/*
 * Each script is one step for all who ask. Its keys: the batch, a hash; which of its numbers have ended, and which of these
 * have failed, a bit each; and the numbers that were given, by their keys. They have the same time to live.
 */
const BEGIN = `
local batch, ended, failed, reserved = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function keep()
  local ms = redis.call('HGET', batch, 'keepMs')
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ms) end
end
`;

const OPEN = `${BEGIN}
if redis.call('HSETNX', batch, 'name', ARGV[1]) == 1 then
  redis.call('HSET', batch, 'allowsFailures', ARGV[2], 'callbacks', ARGV[3], 'keepMs', ARGV[4], 'createdAt', now,
    'total', 0, 'done', 0, 'failed', 0, 'skipped', 0, 'progress', 0)
end
keep()
return redis.call('HGET', batch, 'createdAt')`;

const RESERVE = `${BEGIN}
if redis.call('EXISTS', batch) == 0 then return nil end
local known = redis.call('HGET', reserved, ARGV[1])
if known then return known end
if redis.call('HEXISTS', batch, 'cancelled') == 1 or redis.call('HEXISTS', batch, 'finallyAt') == 1 then return 'over' end
local count = tonumber(ARGV[2])
local first = redis.call('HINCRBY', batch, 'total', count) - count
local given = first .. ':' .. count .. ':0'
redis.call('HSET', reserved, ARGV[1], given)
keep()
return given`;

const DISPATCHED = `
local known = redis.call('HGET', KEYS[4], ARGV[1])
if known then redis.call('HSET', KEYS[4], ARGV[1], (string.gsub(known, ':0$', ':1'))) end
return 0`;

const MAY_BEGIN = `
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
if redis.call('HEXISTS', KEYS[1], 'cancelled') == 1 and redis.call('GETBIT', KEYS[3], ARGV[1]) == 0 then return 'skip' end
return 'go'`;

/** A change of whatever kind, and what follows from it: see BatchChange. */
const CHANGE = `${BEGIN}
local what, by, result = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local fields = { 'total', 'done', 'failed', 'skipped', 'progress', 'sealed', 'cancelled', 'allowsFailures', 'verdict', 'verdictBy',
  'verdictAt', 'verdictSent', 'finallyBy', 'finallyAt', 'finallySent' }
local values = redis.call('HMGET', batch, unpack(fields))
if not values[1] then return nil end
local is = {}
for index, field in ipairs(fields) do is[field] = values[index] or nil end
local set = {}
local function write(field, value)
  is[field] = tostring(value)
  set[#set + 1] = field
  set[#set + 1] = is[field]
end
local function add(field, by) write(field, tonumber(is[field]) + by) end

local fresh, cancels = false, false
if what == 'seal' then
  write('sealed', 1)
elseif what == 'cancel' then
  cancels = not is.finallyAt
else
  if by >= tonumber(is.total) then return nil end
  if redis.call('SETBIT', ended, by, 1) == 0 then
    fresh = true
    add(result, 1)
    if result == 'failed' then redis.call('SETBIT', failed, by, 1) end
    cancels = result == 'failed' and is.allowsFailures == '0'
  elseif result == 'done' and redis.call('SETBIT', failed, by, 0) == 1 then
    add('failed', -1)
    add('done', 1)
  end
end

local total = tonumber(is.total)
local over = tonumber(is.done) + tonumber(is.failed) + tonumber(is.skipped)
local ends = is.sealed ~= nil and over == total
local hasCancelled = cancels and not is.cancelled
local hasFinished = ends and not is.finallyAt
if hasCancelled then write('cancelled', 1) end
if (cancels or ends) and not is.verdict then
  write('verdict', cancels and 'catch' or 'then')
  write('verdictBy', by)
  write('verdictAt', now)
end
if hasFinished then
  write('finallyBy', by)
  write('finallyAt', now)
end
local percent = total == 0 and 100 or math.floor(over * 100 / total)
local rises = is.sealed ~= nil and percent > tonumber(is.progress)
if rises then write('progress', percent) end
if #set > 0 then redis.call('HSET', batch, unpack(set)) end
keep()

local due = {}
local function isMine(decision)
  return by == ${NOBODY} or tonumber(is[decision .. 'By']) == by or tonumber(is.finallyBy or -2) == by
    or now - tonumber(is[decision .. 'At']) > 30000
end
if is.verdict and not is.verdictSent and isMine('verdict') then due[#due + 1] = is.verdict end
if is.finallyAt and not is.finallySent and isMine('finally') then due[#due + 1] = 'finally' end
return { total, tonumber(is.done), tonumber(is.failed), tonumber(is.skipped), tonumber(is.progress),
  hasCancelled and 1 or 0, hasFinished and 1 or 0, ((fresh or by == ${NOBODY}) and rises) and 1 or 0, unpack(due) }`;

const SENT = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], 1) end
return 0`;

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

  async reserve(id: string, key: string, count: number): Promise<ReservedNumbers | 'over' | undefined> {
    const answer = (await this.run(RESERVE, id, key, count)) as string | null;
    if (answer === null) return undefined;
    if (answer === 'over') return 'over';
    const [first, given, sent] = answer.split(':').map(Number);
    return { first: first as number, count: given as number, areSent: sent === 1 };
  }

  async dispatched(id: string, key: string): Promise<void> {
    await this.run(DISPATCHED, id, key);
  }

  seal(id: string): Promise<BatchChange | undefined> {
    return this.change(id, 'seal', NOBODY);
  }

  async begin(id: string, number: number): Promise<'go' | 'skip' | undefined> {
    return ((await this.run(MAY_BEGIN, id, number)) as 'go' | 'skip' | null) ?? undefined;
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
    const answer = (await this.run(CHANGE, id, what, by, result)) as (number | string)[] | null;
    if (answer === null) return undefined;
    const [total, done, failed, skipped, progress, hasCancelled, hasFinished, hasProgressed, ...due] = answer;
    return {
      ...({ total, done, failed, skipped, progress } as BatchCounts),
      due: due as BatchCallback[],
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
