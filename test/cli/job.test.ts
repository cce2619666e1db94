import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { Bus, rabbitmq, type Stores } from '../../src/index.js';
import type { NewJob } from '../../src/stores/index.js';
import { postgresStores } from '../../src/stores/postgres/index.js';
import { migrate } from '../../src/stores/postgres/migrate.js';
import { redisStores } from '../../src/stores/redis/index.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { removeFromBroker } from '../examples/remove-from-broker.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker, sharedPostgres } from '../support/global-setup.js';
import { TestSchema } from '../support/postgres-schema.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { hoplineHere } from './command.js';
import { FailingService } from './service.js';

describe('hopline job', function () {
  this.timeout(60_000);
  let service: FailingService;
  let redis: TestRedis;
  let schema: TestSchema;
  let client: Redis;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    service = new FailingService((await sharedBroker()).url);
    await service.start();
    redis = await provideRedis();
    client = new Redis(redis.url);
    schema = new TestSchema((await sharedPostgres()).url);
    await schema.connected((connection) => migrate(connection, schema.name));
  });
  after(async () => {
    client?.disconnect();
    await redis?.stop();
    await schema?.drop();
    await service?.remove();
  });

  const asked = (args: string[], env: Record<string, string> = { REDIS_URL: redis.url }) =>
    hoplineHere([...args, '--key-prefix', service.name, '--schema', schema.name], {
      url: service.url,
      env: { DATABASE_URL: '', REDIS_URL: '', ...env },
    });
  const jobsOf = ({ jobs }: Stores) => jobs ?? assert.fail('no jobs');
  const inRedis = () => jobsOf(redisStores({ client, keyPrefix: service.name }));
  const newJob = (id: string, parts: Partial<NewJob> = {}): NewJob => ({
    ...{ id, name: undefined, tags: [], service: 'shop', routingKey: `mail.${id}` },
    ...{ sentAt: Date.now(), dueAt: undefined, keepMs: 60_000, message: undefined },
    ...parts,
  });
  const run = {
    version: 1,
    queue: 'mail',
    handler: 'SendMail',
    attempt: 1,
    run: 'a',
    host: 'web-1',
    pid: 4711,
  };

  for (const kind of ['Redis', 'PostgreSQL'])
    it(`lists jobs by tag and state, and shows one by its id or its name, in ${kind}`, async () => {
      const isRedis = kind === 'Redis';
      const jobs = isRedis ? inRedis() : jobsOf(postgresStores({ pool: schema.pool(), schema: schema.name }));
      const env = isRedis ? { REDIS_URL: redis.url } : { DATABASE_URL: schema.url };
      const later = { sentAt: Date.now() + 1, dueAt: Date.now() + 3_600_000, name: 'invoice-17' };
      await jobs.add([
        newJob('one', { tags: ['order:7', 'eu'] }),
        newJob('two', { ...later, tags: ['order:7'] }),
      ]);
      await jobs.begin([{ id: 'one', ...run, at: Date.now() }]);
      await jobs.progress([{ id: 'one', run: 'a', percent: 40, note: 'encoding\u001b[2J', at: Date.now() }]);
      const list = await asked(['job', 'list', '--tag', 'order:7'], env);
      assert.equal(list.code, 0, list.stderr);
      const [head, two, one] = list.stdout.split('\n');
      assert.match(head ?? '', /^ID +STATE +PROGRESS +ATTEMPT +ROUTING KEY +SENT AT +DUE AT +NAME +TAGS$/);
      assert.match(two ?? '', /^two +delayed +- +0 +mail\.two +\S+ \S+ +\d{4}-\S+ \S+ +invoice-17 +order:7$/);
      assert.match(one ?? '', /^one +running +40 % +1 +mail\.one .* - +- +order:7 eu$/);
      assert.match(list.stderr, new RegExp(`^2 jobs in ${isRedis ? 'Redis at' : 'database'}`));
      const running = await asked(['job', '--state', 'running', '--json'], env);
      assert.deepEqual(
        (JSON.parse(running.stdout) as { id: string }[]).map(({ id }) => id),
        ['one'],
      );
      const shown = await asked(['job', 'show', 'one'], env);
      assert.match(
        shown.stdout,
        /^id +one\ntags +order:7 eu\nstate +running\nprogress +40 %, encoding\\x1b\[2J\n/,
      );
      assert.match(shown.stdout, /^runs +on web-1, process 4711, since \d{4}-/m);
      const named = JSON.parse((await asked(['job', 'show', 'invoice-17', '--json'], env)).stdout);
      assert.deepEqual([named.id, named.state], ['two', 'delayed']);
      assert.match(named.dueAt, /^\d{4}-\d\d-\d\dT/);
    });

  it('takes back what waits by its name, marks what runs, and says when there is nothing to do', async () => {
    const jobs = inRedis();
    await jobs.add([newJob('waits', { name: 'reminder' }), newJob('runs')]);
    await jobs.begin([{ id: 'runs', ...run, at: Date.now() }]);
    const waiting = await asked(['job', 'cancel', 'reminder']);
    assert.equal(
      waiting.stdout,
      "job waits ('reminder') is cancelled: its message is dropped when it arrives\n",
    );
    assert.deepEqual(await jobs.begin([{ id: 'waits', ...run, at: Date.now() }]), ['cancelled']);
    const running = await asked(['job', 'cancel', 'runs']);
    assert.match(
      running.stdout,
      /^job runs runs on web-1, process 4711: it goes on, and does not begin again/,
    );
    assert.match(running.stderr, /hopline cancel runs fires its signal/);
    await jobs.end([{ id: 'runs', ...run, state: 'done', at: Date.now() }]);
    assert.match((await asked(['job', 'cancel', 'runs'])).stdout, /^nothing to do: .* \(done\)\n$/);
    const unknown = await asked(['job', 'cancel', 'nothing']);
    assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
    assert.match(unknown.stderr, /no job 'nothing' is known in Redis at/);
  });

  it('hopline cancel takes a job back by the store, and asks the workers about what no store knows', async () => {
    await inRedis().add([newJob('later', { name: 'invoice-18' })]);
    const cancel = (id: string, env?: Record<string, string>) =>
      asked(['cancel', id, '--prefix', service.name, '--wait', '200ms'], env);
    const taken = await cancel('invoice-18');
    assert.equal(
      taken.stdout,
      "job later ('invoice-18') is cancelled: its message is dropped when it arrives\n",
    );
    const unknown = await cancel('nothing');
    assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
    assert.match(unknown.stderr, /^no handler runs message 'nothing'/);
    const away = await cancel('nothing', { REDIS_URL: 'redis://127.0.0.1:1' });
    assert.match(away.stderr, /^note: a store of jobs was not asked: .*127\.0\.0\.1:1.*\nno handler runs/);
  });

  it('hopline cancel fires the signal of a job that runs, which does not begin again', async () => {
    const queue = `${service.name}.hold`;
    const transport = rabbitmq({ url: service.url });
    const bus = new Bus({ service: queue, prefix: service.name, transport, log: silentLogger });
    const begun = deferred();
    const hold = async (_: unknown, { signal }: { signal: AbortSignal }) => {
      begun.resolve();
      await once(signal, 'abort');
      throw signal.reason;
    };
    bus.handle('hold', hold, { queue, retry: { tries: 1 } });
    await bus.start();
    try {
      const jobs = inRedis();
      await jobs.add([newJob('held')]);
      await jobs.begin([{ id: 'held', ...run, at: Date.now() }]);
      await bus.send('hold', {}, { messageId: 'held' });
      await begun.promise;
      const { code, stdout, stderr } = await asked(['cancel', 'held', '--prefix', service.name]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^job held does not begin again\n\S+ on .*: its signal was fired\n$/);
      assert.equal((await jobs.find(['held']))[0]?.isCancelling, true);
    } finally {
      await bus.stop();
      await removeFromBroker(service.url, { queues: [queue] });
    }
  });

  it('replays the dead letter of a job, and refuses one that is none', async () => {
    const jobs = inRedis();
    await service.fail('broken');
    await jobs.add([newJob('broken'), newJob('fine')]);
    const deadQueue = `${service.queue}.dead`;
    const end = {
      state: 'dead-lettered',
      error: 'the server says no',
      reason: 'rejected',
      deadQueue,
    } as const;
    await jobs.end([{ id: 'broken', ...run, ...end, at: Date.now() }]);
    const retry = (id: string) => asked(['job', 'retry', id, '--prefix', service.name, '--yes']);
    service.mended = true;
    const retried = await retry('broken');
    assert.equal(retried.stdout, '1 dead letter replayed\n', retried.stderr);
    assert.match(retried.stderr, /^job broken will be replayed to '\S+\.mail', on .*: the server says no\n/);
    await eventually(() => assert.ok(service.handled.has('broken')));
    const gone = await retry('broken');
    assert.match(gone.stderr, /no dead letter has the id 'broken'\. .*replayed/);
    const fine = await retry('fine');
    assert.deepEqual([fine.code, fine.stdout], [2, '']);
    assert.match(fine.stderr, /job fine is no dead letter: it is waiting/);
  });

  it('refuses a state that there is not, and says which there are', async () => {
    const { code, stderr } = await asked(['job', 'list', '--state', 'runing']);
    assert.match(stderr, /unknown state 'runing', did you mean running\?.*dead-lettered/);
    assert.equal(code, 2);
  });
});
