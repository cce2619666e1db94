import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Bus, rabbitmq, type Stores } from '../../src/index.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker, sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { hoplineHere } from './command.js';

const SECRET = 's3cret';

/** A Redis that is not ours forgets them by itself. */
const KEEP = '1m';

describe('hopline batch', function () {
  this.timeout(60_000);
  let url: string;
  let redis: TestRedis;
  let schema: TestSchema;
  let directory: string;
  let client: Redis;
  let bus: Bus | undefined;
  let isBroken: boolean;
  const prefix = `batch-${process.pid}`;
  const queue = `${prefix}.jobs`;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
    redis = await provideRedis();
    client = new Redis(redis.url);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((connection) => migrate(connection, schema.name));
    directory = await mkdtemp(join(tmpdir(), 'hopline-cli-'));
  });
  after(async () => {
    client?.disconnect();
    await redis?.stop();
    await schema?.drop();
    await removeFromBroker(url, { queues: [queue], prefix });
    await rm(directory, { recursive: true });
  });
  beforeEach(() => {
    isBroken = true;
  });
  afterEach(() => bus?.stop());

  const inRedis = () => redisStores({ client, keyPrefix: prefix });
  const redisFlags = ['--key-prefix', prefix];
  const asked = (args: string[], env: Record<string, string> = { REDIS_URL: redis.url }) =>
    hoplineHere(['batch', ...args], { url, env: { DATABASE_URL: '', REDIS_URL: '', ...env } });

  /** A batch of so many jobs, of which the first fails until that is mended. */
  async function dispatched(id: string, stores: Stores, jobs = 4): Promise<Bus> {
    bus = new Bus({ service: prefix, prefix, transport: rabbitmq({ url }), stores });
    bus.handle(
      'job',
      (number: number) => {
        if (number === 0 && isBroken) throw new Error('the disk is full');
      },
      { queue: { name: queue }, retry: { tries: 1 } },
    );
    await bus.start();
    const payloads = Array.from({ length: jobs }, (_none, number) => number);
    const batch = bus
      .batch(
        payloads.map((payload) => ({ key: 'job', payload })),
        { id, keep: KEEP },
      )
      .name('import');
    await batch.allowFailures().dispatch();
    return bus;
  }

  it('lists batches, shows one with its bar and its dead letters, and replays these', async () => {
    const its = await dispatched('four', inRedis());
    await eventually(async () => assert.equal((await its.findBatch('four'))?.finished, true));
    const list = await asked(['list', ...redisFlags]);
    assert.equal(list.code, 0, list.stderr);
    const [head, line] = list.stdout.split('\n');
    assert.match(head ?? '', /^ID +NAME +STATE +PROGRESS +JOBS +PENDING +FAILED +SKIPPED +CREATED AT$/);
    assert.match(line ?? '', /^four +import +finished +100 % +4 +0 +1 +0 +\d{4}-/);
    assert.match(list.stderr, /^1 batch in Redis at 127\.0\.0\.1:\d+\n$/);

    const where = ['--queue', queue, '--prefix', prefix];
    const show = await asked(['show', 'four', ...redisFlags, ...where, '--wait']);
    assert.equal(show.code, 1, 'a job has failed');
    assert.match(show.stdout, /^progress +\[#{30}\] 100 %$/m);
    assert.match(show.stdout, /^failed +1 \(allowed\)$/m);
    assert.match(show.stdout, /^dead letters +1$/m);

    const unsure = await asked(['retry', 'four', ...where]);
    assert.deepEqual([unsure.code, unsure.stdout], [2, '']);
    isBroken = false;
    const retry = await asked(['retry', 'four', ...where, '--yes']);
    assert.deepEqual([retry.code, retry.stdout], [0, '1 dead letter replayed\n'], retry.stderr);
    await eventually(async () => assert.equal((await its.findBatch('four'))?.done, 4));
    const again = await asked(['retry', 'four', ...where, '--yes']);
    assert.deepEqual([again.code, again.stdout], [0, '0 dead letters: nothing to replay\n']);
    const json = await asked(['list', '--json', ...redisFlags]);
    assert.deepEqual(JSON.parse(json.stdout)[0].failed, 0);
  });

  it('cancels one in PostgreSQL, once, and says what is not there', async () => {
    const pool = schema.pool({ max: 5 });
    const stores = postgresStores({ pool, schema: schema.name });
    await stores.batches?.open({
      ...{ id: 'waits', name: 'waits', service: 'any', allowsFailures: false, notifications: '{}' },
      keepMs: 60_000,
    });
    await stores.batches?.reserve('waits', 'all', 3);
    await stores.batches?.seal('waits');
    const file = join(directory, 'database-url');
    await writeFile(file, `${schema.url}\n`);
    const flags = ['--database-url-file', file, '--schema', schema.name];
    const first = await asked(['cancel', 'waits', ...flags, '--prefix', prefix], {});
    assert.deepEqual(
      [first.code, first.stdout],
      [0, 'cancelled; 3 jobs are still to be skipped, or run\n'],
      first.stderr,
    );
    const second = await asked(['cancel', 'waits', ...flags, '--prefix', prefix], {});
    assert.match(second.stdout, /^nothing to do/);
    const show = await asked(['show', 'waits', ...flags], {});
    assert.match(show.stdout, /^state +cancelled$/m);
    assert.match(show.stdout, /^decided +failure$/m);
    const { stdout } = await asked(['show', 'waits', '--json', ...flags], {});
    assert.equal(JSON.parse(stdout).verdict, 'failure');
    const nowhere = await asked(['show', 'nowhere', ...flags], {});
    assert.deepEqual([nowhere.code, nowhere.stdout], [2, '']);
    assert.match(nowhere.stderr, /^error: there is no batch 'nowhere'/);
  });

  it('says if what is sent for a cancelled one can not be sent', async () => {
    const stores = inRedis();
    bus = new Bus({ service: prefix, prefix, transport: rabbitmq({ url }), stores });
    await bus.start();
    const batch = bus.batch([], { id: 'mute', keep: KEEP }).onFailure({ key: 'nobody.takes', payload: 1 });
    // Of a batch that is not sealed the end is not told yet.
    const seal = stores.batches?.seal;
    if (stores.batches) stores.batches.seal = () => Promise.reject(new Error('away'));
    await assert.rejects(batch.dispatch(), /away/);
    if (stores.batches && seal) stores.batches.seal = seal;
    const cancel = await asked(['cancel', 'mute', ...redisFlags, '--prefix', prefix]);
    assert.deepEqual(
      [cancel.code, cancel.stdout],
      [1, 'cancelled; 0 jobs are still to be skipped, or run\n'],
    );
    assert.match(cancel.stderr, /^error: a notification of a batch cannot be sent: .*'nobody\.takes'/);
  });

  it('says where no store is, and never what the address holds', async () => {
    const none = await asked(['list'], {});
    assert.equal(none.code, 2);
    assert.match(none.stderr, /no address of the store/);
    const two = await asked(['list'], { REDIS_URL: redis.url, DATABASE_URL: schema.url });
    assert.deepEqual([two.code, /two stores/.test(two.stderr)], [2, true]);
    const wrong = await asked(['list'], { REDIS_URL: `http://u:${SECRET}@127.0.0.1:1` });
    assert.deepEqual([wrong.code, wrong.stderr.includes(SECRET)], [2, false]);
    const away = await asked(['list'], { REDIS_URL: `redis://u:${SECRET}@127.0.0.1:1` });
    assert.deepEqual([away.code, away.stderr.includes(SECRET)], [1, false]);
    assert.match(away.stderr, /can't connect to Redis at 127\.0\.0\.1:1/);
  });
});
