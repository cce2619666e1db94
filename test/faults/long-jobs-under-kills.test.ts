import assert from 'node:assert/strict';
import { pause, systemClock } from '../../src/util/clock.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { longTest } from '../support/long.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { withConsumerTimeout } from './consumer-timeout.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';
import { killWorkers, startProcess, type Worker } from './worker.js';

const BROKER_WAITS_MS = 1_000;
const JOB_MS = 8_000;
const LEASE_MS = 3_000;
const JOBS = 60;
const SLOTS = 10;
const FAULTS = 12;

/** A worker, and the way between it and the broker. */
interface Member {
  readonly worker: Worker;
  readonly proxy: TcpProxy;
}

describe('jobs that take long, while workers are killed and connections cut', function () {
  this.timeout(180_000);
  let node: PrivateNode;
  let redis: TestRedis;
  const members: Member[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    [node, redis] = await Promise.all([privateBroker(), provideRedis()]);
  });

  after(() => redis?.stop());

  afterEach(async () => {
    await killWorkers();
    await stopAll();
    await Promise.all(members.splice(0).map(({ proxy }) => proxy.close()));
  });

  // `long-jobs.test.ts` has a kill, and a cut connection, of few jobs.
  longTest('run each once at a time, and all in the end, with no guard left behind', async () => {
    await withConsumerTimeout(node, BROKER_WAITS_MS, async () => {
      const prefix = uniqueName('video');
      const results: unknown[] = [];
      const { bus } = faultBus(node.url, { prefix });
      bus.handle('encoded', (payload) => void results.push(payload));
      await bus.start();
      const book = new Book();
      for (let count = 0; count < 3; count += 1) await join(prefix, book);
      for (let number = 0; number < JOBS; number += 1) await bus.publish('job', `j${number}`);
      for (let fault = 1; fault <= FAULTS; fault += 1) {
        await pause(systemClock, 2_500);
        const alive = members.filter(({ worker }) => !book.isDead(worker));
        const { worker, proxy } = alive[fault % alive.length] as Member;
        if (fault % 3 > 0) proxy.reset();
        else {
          book.died(worker);
          worker.process.kill('SIGKILL');
          await join(prefix, book);
        }
      }
      await eventually(() => assert.equal(new Set(results).size, JOBS), { timeout: 90_000 });
      await eventually(async () => {
        for (const queue of ['jobs', 'guards', 'jobs.dead'])
          assert.equal(await messagesIn(`${prefix}.${queue}`), 0, queue);
      });
      assert.deepEqual(book.besideEachOther, []);
    });
  });

  async function join(prefix: string, book: Book): Promise<void> {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const options = [LEASE_MS, JOB_MS, SLOTS].map(String);
    const worker = startProcess('./job-process.js', through(proxy, node), prefix, redis.url, ...options);
    members.push({ worker, proxy });
    book.follow(worker);
    await eventually(() => worker.said.includes('started'), { timeout: 20_000 });
  }

  const messagesIn = (queue: string) =>
    raw(node, async (channel) => (await channel.checkQueue(queue)).messageCount);
});

/** Who runs what. */
class Book {
  /** Jobs that began while another living process ran them. */
  readonly besideEachOther: string[] = [];
  private readonly runs = new Map<string, Worker[]>();
  private readonly dead = new Set<Worker>();

  follow(worker: Worker): void {
    worker.process.on('message', (what) => {
      const [, word = '', job = ''] = /^(began|done)(?: again)? (\S+)$/.exec(String(what)) ?? [];
      const others = (this.runs.get(job) ?? []).filter((each) => each !== worker && !this.isDead(each));
      if (word === 'began' && others.length > 0) this.besideEachOther.push(job);
      if (word !== '') this.runs.set(job, word === 'began' ? [...others, worker] : others);
    });
  }

  died(worker: Worker): void {
    this.dead.add(worker);
  }

  isDead(worker: Worker): boolean {
    return this.dead.has(worker);
  }
}
