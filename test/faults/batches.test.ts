import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { BatchStatus, MessageContext } from '../../src/index.js';
import type { BatchCounts } from '../../src/message/batch.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sized } from '../support/long.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { deadLettersOf, type FaultBus, faultBus, stopAll, uniqueName } from './fixture.js';

const JOBS = sized(2_000, 10_000);
const WORKERS = 3;

/** How many are killed, one after the other, each while it handles jobs. */
const KILLS = sized(4, 12);

describe('batches whose workers are killed', function () {
  this.timeout(180_000);
  let node: PrivateNode;
  let redis: TestRedis;
  let client: Redis;
  const workers = new Set<ChildProcess>();

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    redis = await provideRedis();
    client = new Redis(redis.url);
  });
  after(async () => {
    client?.disconnect();
    await redis?.stop();
  });
  afterEach(async () => {
    await Promise.all([...workers].map(kill));
    await stopAll();
  });

  /** A batch of its own, with a bus that sees all that is sent for it. */
  async function laid() {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('jobs');
    const bus = faultBus(node.url, { prefix, stores: redisStores({ client, keyPrefix: prefix }) });
    const told: { kind: string; id: string | undefined; counts: BatchCounts | undefined }[] = [];
    bus.bus.handle('news', (_payload: unknown, { batch, messageId }: MessageContext) => {
      told.push({ kind: String(batch?.notification), id: messageId, counts: batch?.counts });
    });
    await bus.bus.start();
    return { ...bus, prefix, queue, told };
  }

  async function startWorker({ prefix, queue }: { prefix: string; queue: string }): Promise<void> {
    const file = fileURLToPath(new URL('./batch-worker-process.js', import.meta.url));
    const child = fork(file, [node.url, prefix, queue, redis.url, prefix]);
    workers.add(child);
    const [said] = await once(child, 'message');
    assert.equal(said, 'started');
  }

  async function kill(child: ChildProcess): Promise<void> {
    workers.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Dispatches to a queue that waits: what is sent while jobs end already has no percentage yet. */
  async function dispatched(
    batch: ReturnType<FaultBus['bus']['batch']>,
    where: { prefix: string; queue: string },
  ) {
    await startWorker(where);
    for (const worker of workers) await kill(worker);
    await batch.dispatch();
    await Promise.all(Array.from({ length: WORKERS }, () => startWorker(where)));
  }

  /** Kills one whenever so many jobs more have ended, and starts another. */
  async function killAsItGoes(bus: FaultBus['bus'], id: string, where: { prefix: string; queue: string }) {
    const seen: BatchStatus[] = [];
    const step = JOBS / (KILLS + 1);
    for (let killed = 0; !seen.at(-1)?.finished; ) {
      const status = (await bus.findBatch(id)) as BatchStatus;
      seen.push(status);
      if (killed === KILLS || JOBS - status.pending < (killed + 1) * step) continue;
      const [first] = workers;
      if (first) await kill(first);
      killed += 1;
      await startWorker(where);
    }
    return seen;
  }

  function assertMonotone(seen: readonly BatchStatus[]): void {
    seen.reduce((before, now) => {
      assert.ok(now.progress >= before.progress, `${before.progress} % and then ${now.progress} %`);
      assert.ok(now.pending <= before.pending);
      assert.equal(now.total, now.pending + now.done + now.failed + now.skipped);
      return now;
    });
  }

  const jobsWith = (isBad: (number: number) => boolean) =>
    Array.from({ length: JOBS }, (_none, number) => ({
      key: 'job',
      payload: { number, isBad: isBad(number) },
    }));
  const of = (told: Awaited<ReturnType<typeof laid>>['told'], kind: string) => {
    const those = told.filter((each) => each.kind === kind);
    return { ids: new Set(those.map(({ id }) => id)).size, counts: those[0]?.counts };
  };
  const news = { key: 'news', payload: {} };

  it('end once, with one success and one end, whose figures are right, where failures are allowed', async () => {
    const { bus, told, ...where } = await laid();
    const batch = bus.batch(jobsWith((number) => number % 100 === 7));
    batch.onSuccess(news).onFailure(news).onEnd(news).onProgress(news).allowFailures();
    await dispatched(batch, where);
    const seen = await killAsItGoes(bus, batch.id, where);
    assertMonotone(seen);
    await eventually(() => assert.equal(of(told, 'end').ids, 1), { timeout: 30_000 });
    assert.deepEqual([of(told, 'success').ids, of(told, 'failure').ids], [1, 0]);
    const failed = JOBS / 100;
    const end = { total: JOBS, pending: 0, done: JOBS - failed, failed, skipped: 0, progress: 100 };
    assert.deepEqual([of(told, 'success').counts, of(told, 'end').counts], [end, end]);
    assert.ok(of(told, 'progress').ids > 50, `${of(told, 'progress').ids} percents were sent`);
    // A worker that is killed between a dead letter and its ack leaves the letter twice.
    assert.ok((await deadLettersOf(node, where.queue)) >= failed);
  });

  it('are cancelled once by the first failure, with one failure and one end, where none is allowed', async () => {
    const { bus, told, ...where } = await laid();
    const batch = bus.batch(jobsWith((number) => number === JOBS * 0.6));
    await dispatched(batch.onSuccess(news).onFailure(news).onEnd(news), where);
    const seen = await killAsItGoes(bus, batch.id, where);
    assertMonotone(seen);
    await eventually(() => assert.equal(of(told, 'end').ids, 1), { timeout: 30_000 });
    assert.deepEqual([of(told, 'success').ids, of(told, 'failure').ids], [0, 1]);
    const end = of(told, 'end').counts;
    assert.deepEqual([end?.total, end?.pending, end?.failed, end?.progress], [JOBS, 0, 1, 100]);
    assert.ok((end?.skipped ?? 0) > 0 && (end?.done ?? 0) > 0);
    assert.equal((end?.done ?? 0) + (end?.skipped ?? 0), JOBS - 1);
  });
});
