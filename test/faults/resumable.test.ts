import assert from 'node:assert/strict';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedPostgres } from '../support/global-setup.js';
import { longTest, sized } from '../support/long.js';
import { TestSchema } from '../support/postgres-schema.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';
import { killWorkers, startProcess, type Worker } from './worker.js';

const JOBS = ['a', 'b', 'c'];
const PARTS = 60;

/** With all its parts a job takes some seconds, or some minutes. */
const PART_MS = sized(40, 3_000);
const JOB_MS = PARTS * PART_MS;

describe('jobs that can be interrupted', function () {
  this.timeout(60_000 + 3 * JOB_MS);
  let node: PrivateNode;
  let redis: TestRedis;
  let schema: TestSchema;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    redis = await provideRedis();
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((client) => migrate(client, schema.name));
  });
  afterEach(async () => {
    await killWorkers();
    await stopAll();
  });
  after(async () => {
    await redis?.stop();
    await schema?.drop();
  });

  /** One release of a service after the other, on one queue and one store. */
  class Releases {
    readonly all: Worker[] = [];

    constructor(
      private readonly prefix: string,
      private readonly store: string,
    ) {}

    async next(): Promise<Worker> {
      const worker = startProcess(
        './resumable-process.js',
        node.url,
        this.prefix,
        this.store,
        String(PART_MS),
      );
      this.all.push(worker);
      await eventually(() => worker.said.includes('started'), { timeout: 20_000 });
      return worker;
    }

    async send(): Promise<void> {
      const { bus } = faultBus(node.url, { prefix: this.prefix });
      await bus.start();
      for (const job of JOBS) await bus.send('job', { job, parts: PARTS });
    }

    /** What all of them have said, in the order of the releases. */
    get said(): string[] {
      return this.all.flatMap(({ said }) => said);
    }

    async allDone(): Promise<void> {
      const done = () => this.said.filter((what) => /^job . is done$/.test(what)).toSorted();
      const wanted = JOBS.map((job) => `job ${job} is done`);
      await eventually(() => assert.deepEqual(done(), wanted), { timeout: 20_000 + JOB_MS });
    }

    /** How often each part was done. */
    get times(): Map<string, number> {
      const parts = this.said.filter((what) => what.includes(' of job '));
      const times = new Map<string, number>();
      for (const part of parts) times.set(part, (times.get(part) ?? 0) + 1);
      return times;
    }
  }

  const partsOf = ({ said }: Worker): number => said.filter((what) => what.includes(' of job ')).length;
  const hasWorked = (worker: Worker) => eventually(() => partsOf(worker) >= 12, { timeout: 10_000 + JOB_MS });

  const ofRedis = () => new Releases(uniqueName('prefix'), redis.url);
  const ofPostgres = () => new Releases(schema.name, schema.url);

  const throughDeployments = (release: () => Releases) => async () => {
    const releases = release();
    let worker = await releases.next();
    await releases.send();
    for (const _deployment of [1, 2, 3]) {
      await hasWorked(worker);
      const from = performance.now();
      worker.process.kill('SIGTERM');
      assert.equal(await worker.end, 0);
      const tookMs = performance.now() - from;
      assert.ok(tookMs < 5_000 + PART_MS, `it handed over in ${Math.round(tookMs)} ms`);
      worker = await releases.next();
    }
    await releases.allDone();
    const { times } = releases;
    assert.equal(times.size, JOBS.length * PARTS);
    assert.deepEqual(
      [...times].filter(([, count]) => count !== 1),
      [],
    );
    assert.ok(
      releases.all.every((worker) => partsOf(worker) > 0),
      'each release has done some',
    );
  };

  it('live through three deployments in pieces, each part done once', throughDeployments(ofRedis));
  // The next test is short, and has PostgreSQL, too.
  longTest('live through them with their states in PostgreSQL', throughDeployments(ofPostgres));

  it('go on from their last checkpoint when their process is killed: of each job one part at most is done twice', async () => {
    const releases = ofPostgres();
    const first = await releases.next();
    await releases.send();
    await hasWorked(first);
    first.process.kill('SIGKILL');
    await first.end;
    await releases.next();
    await releases.allDone();
    const again = [...releases.times].filter(([, count]) => count > 1);
    assert.equal(releases.times.size, JOBS.length * PARTS);
    assert.ok(again.every(([, count]) => count === 2) && again.length <= JOBS.length, again.join());
  });
});
