import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { Bus, type BusEvents, type QueueOptions, rabbitmq } from '../../src/index.js';
import { STEPS } from '../../src/kept/migrations/document.js';
import { Monitored } from '../../src/oversight/application/monitored.js';
import type { Finding } from '../../src/oversight/doctor/finding.js';
import { Management } from '../../src/oversight/management/management.js';
import { silentLogger } from '../../src/util/logger.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sized } from '../support/long.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { ledgerOf } from './apps/ledger-of.js';
import { Command, type Ended } from './command.js';
import { type ManagedNode, managedNode } from './managed-node.js';

const APP = resolve(import.meta.dirname, 'apps/ledger.js');
const MAIN = resolve(import.meta.dirname, '../../src/cli/main.js');

type Options = Omit<QueueOptions, 'name'>;

interface Queue {
  readonly name: string;
  readonly type: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

describe('hopline topology migrate', function () {
  this.timeout(600_000);
  let managed: ManagedNode;
  let publisher: Bus;
  let workers: Bus[] = [];
  let proxies: TcpProxy[] = [];
  /** Numbers that each worker has handled, in order. */
  let handled: number[][] = [];
  let published = 0;
  let publishing: NodeJS.Timeout | undefined;
  let underWay: Promise<unknown>[] = [];
  /** Milliseconds that a handler takes. */
  let takes = 0;

  const command = (words: string[], options: Options, prefix = 'hopline') =>
    new Command([...words, '--app', APP], {
      main: MAIN,
      url: managed.node.url,
      env: {
        MANAGEMENT_URL: managed.managementUrl,
        LEDGER: JSON.stringify(options),
        LEDGER_PREFIX: prefix,
      },
    });

  const migrate = (options: Options, prefix?: string) =>
    command(['topology', 'migrate', 'ledger', '--yes'], options, prefix);

  async function work(options: Options, { url = managed.node.url, prefix = 'hopline' } = {}): Promise<Bus> {
    const mine: number[] = [];
    handled.push(mine);
    const worker = ledgerOf(
      { Bus, rabbitmq },
      {
        url,
        prefix,
        log: silentLogger,
        options: { concurrency: 1, ...options },
        handle: async (payload, context) => {
          const number = payload as number;
          if (takes > 0) await new Promise((done) => setTimeout(done, takes));
          if (number % 100 === 7) context.fail('it is not good');
          else if (number % 50 === 3 && context.attempt === 1) throw new Error('not yet');
          else mine.push(number);
        },
      },
    );
    await worker.start();
    workers.push(worker);
    return worker;
  }

  /** A worker, begun before all others, whose connections are cut: it has nothing in hand. */
  async function workAway(options: Options) {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: managed.node.port });
    proxies.push(proxy);
    const url = managed.node.url.replace(/\d+$/, String(proxy.port));
    const worker = await work(options, { url });
    const away = async () => {
      const lost = told(worker, 'consumer.lost');
      proxy.stall('both');
      proxy.reset();
      await lost;
    };
    /** Resolves when it has done this. */
    const back = async (does: 'consumer.restored' | 'consumer.paused') => {
      const doing = told(worker, does);
      proxy.resume();
      await doing;
    };
    await away();
    return { away, back, handled: handled.at(-1) as number[] };
  }

  const told = (worker: Bus, event: keyof BusEvents) =>
    new Promise<void>((resolve) => {
      const forget = worker.on(event, () => {
        forget();
        resolve();
      });
    });

  const send = (count: number, options = {}) => {
    for (let index = 0; index < count; index += 1) {
      published += 1;
      underWay.push(publisher.send('entry.made', published, options));
    }
  };

  const managing = (path: string, method = 'GET', body: string | null = null) => {
    const { origin } = new URL(managed.managementUrl);
    const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    return fetch(`${origin}/api/${path}`, { method, headers, body });
  };

  async function queues(): Promise<Queue[]> {
    const response = await managing('queues/%2F');
    return ((await response.json()) as Queue[]).filter(({ name }) => name.startsWith('ledger'));
  }

  /** Publishes while `during` runs; then waits until all that was published is handled, and compares. */
  async function accountOf(during: () => Promise<void>, first = 500): Promise<void> {
    send(first);
    await Promise.all(underWay);
    send(10, { delay: '2s' });
    publishing = setInterval(() => send(10), 20);
    await during();
    clearInterval(publishing);
    await Promise.all(underWay);
    const all = Array.from({ length: published }, (_, index) => index + 1).filter(
      (number) => number % 100 !== 7,
    );
    await eventually(() => handled.flat().length >= all.length, { timeout: 180_000 });
    assert.deepEqual(
      handled.flat().sort((left, right) => left - right),
      all,
    );
    for (const mine of handled) {
      const inOrder = mine.filter((number) => number % 50 !== 3 && !(number > first && number <= first + 10));
      const firstWrong = inOrder.findIndex(
        (number, index) => index > 0 && number < (inOrder[index - 1] ?? 0),
      );
      assert.equal(firstWrong, -1, `out of order: ${inOrder.slice(firstWrong - 3, firstWrong + 3)}`);
    }
  }

  /** Begins, or goes on, and is killed as soon as it says that it takes this step. */
  async function killedAt(step: string): Promise<void> {
    const command = migrate({ type: 'quorum' });
    await eventually(() => command.stdout.includes(`\n${step}: `) || command.child.exitCode !== null, {
      timeout: 120_000,
    });
    command.child.kill('SIGKILL');
    await command.ended;
  }

  const done = ({ code, stdout, stderr }: Ended) => assert.equal(code, 0, `${stdout}\n${stderr}`);

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    publisher = new Bus({
      service: 'shop',
      transport: rabbitmq({ url: managed.node.url }),
      log: silentLogger,
    });
    await publisher.start();
  });

  afterEach(async () => {
    clearInterval(publishing);
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    [workers, proxies, handled, underWay, published, takes] = [[], [], [], [], 0, 0];
    for (const { name } of [
      ...(await queues()),
      { name: 'hopline.migrations' },
      { name: 'books.migrations' },
    ])
      await managing(`queues/%2F/${encodeURIComponent(name)}`, 'DELETE');
  });

  after(async () => {
    await publisher.stop();
  });

  it('makes a classic queue a quorum queue while two workers take it and messages are published', async () => {
    const [before, wanted]: [Options, Options] = [{ type: 'classic' }, { type: 'quorum' }];
    await work(before);
    await work(before);
    takes = 2;
    await accountOf(async () => done(await migrate(wanted).ended));
    const there = await queues();
    assert.deepEqual(there.map(({ name, type }) => `${name} ${type}`).sort(), [
      'ledger.dead quorum',
      'ledger~2 quorum',
    ]);
    // Who has the new options starts with them, who has the old ones uses the queue as it is.
    await work(wanted);
    await work(before);
    // The publisher hears nothing of migrations, and finds out when the queue of that name is not there.
    const [last, further] = [100_001, 100_002];
    await publisher.sendToQueue('ledger', last);
    await publisher.sendToQueue('ledger', further, { delay: '100ms' });
    const late = () =>
      handled
        .flat()
        .filter((number) => number > 100_000)
        .sort((left, right) => left - right);
    await eventually(() => assert.deepEqual(late(), [last, further]));
  });

  it('lets one command at a time migrate, and another one go on', async () => {
    await work({ type: 'classic' });
    await work({ type: 'classic' });
    takes = 1;
    await accountOf(async () => {
      const ended = await Promise.all([1, 2].map(() => migrate({ type: 'quorum' }).ended));
      const refused = ended.filter(({ code }) => code !== 0);
      assert.ok(refused.length < 2, refused.map(({ stderr }) => stderr).join('\n'));
      for (const { stderr } of refused) assert.match(stderr, /another command migrates a queue/);
    });
    assert.deepEqual((await queues()).map(({ name }) => name).sort(), ['ledger.dead', 'ledger~2']);
  });

  for (const step of sized<readonly string[]>(['bind', 'drain', 'remove'], STEPS)) {
    it(`goes on where it was killed at the step ${step}`, async () => {
      await work({ type: 'classic' });
      await work({ type: 'classic' });
      takes = 1;
      await accountOf(async () => {
        await killedAt(step);
        done(await migrate({ type: 'quorum' }).ended);
      });
      assert.deepEqual((await queues()).map(({ name }) => name).sort(), ['ledger.dead', 'ledger~2']);
    });
  }

  it('has workers that were away take nothing while nobody does, drop what lies in both queues, and take the new one though the old is there', async () => {
    const early = await workAway({ type: 'classic' });
    const late = await workAway({ type: 'classic' });
    await work({ type: 'classic' });
    await accountOf(async () => {
      await killedAt('compare');
      await early.back('consumer.paused');
      assert.deepEqual(early.handled, []);
      await early.away();
      takes = 200;
      const draining = migrate({ type: 'quorum' });
      await eventually(() => draining.stdout.includes('\ndrain: '), { timeout: 120_000 });
      await early.back('consumer.restored');
      takes = 1;
      await eventually(() => draining.stdout.includes('\nremove: '), { timeout: 120_000 });
      draining.child.kill('SIGKILL');
      await draining.ended;
      await late.back('consumer.restored');
      done(await migrate({ type: 'quorum' }).ended);
    });
    assert.ok(early.handled.length > 0 && late.handled.length > 0);
    assert.deepEqual((await queues()).map(({ name }) => name).sort(), ['ledger.dead', 'ledger~2']);
  });

  it('is known to plan, prune, doctor and monitors, also of an application with another prefix', async () => {
    const [classic, quorum]: [Options, Options] = [{ type: 'classic' }, { type: 'quorum' }];
    const of = async (words: string[], options: Options) => {
      const { code, stdout, stderr } = await command(words, options, 'books').ended;
      return { code, said: `${stdout}${stderr}` };
    };
    await work(classic, { prefix: 'books' });
    const begun = migrate(quorum, 'books');
    await eventually(() => begun.stdout.includes('\nbind: '), { timeout: 120_000 });
    begun.child.kill('SIGKILL');
    await begun.ended;
    const meanwhile = await of(['topology', 'plan', '--check'], quorum);
    assert.equal(meanwhile.code, 1);
    assert.match(meanwhile.said, /^\? queue 'ledger' is being migrated: .*hopline topology migrate ledger/m);
    assert.match(meanwhile.said, /^1 being migrated, \d+ unchanged$/m);
    done(await migrate(quorum, 'books').ended);

    const planned = await of(['topology', 'plan', '--check'], quorum);
    assert.equal(planned.code, 0, planned.said);
    assert.match((await of(['topology', 'apply', '--yes'], quorum)).said, /nothing to do: all is there/);
    const old = await of(['topology', 'plan', '--check'], classic);
    assert.equal(old.code, 1);
    assert.match(
      old.said,
      /^! queue 'ledger~2' is there, but otherwise: a start goes on with what is there$/m,
    );
    assert.match(old.said, /^ {4}type is "quorum", wanted "classic"$/m);
    assert.match(old.said, /^ {4}It was migrated: deploy the options that it was migrated to/m);

    const doctor = await of(['doctor', '--json'], quorum);
    assert.equal(doctor.code, 0, doctor.said);
    const found = (said: string) =>
      (JSON.parse(said) as Finding[]).filter(({ severity }) => severity === 'warning');
    assert.deepEqual(found(doctor.said), []);
    assert.deepEqual(
      found((await of(['doctor', '--json'], classic)).said).map(({ message }) => message.split(':')[0]),
      ["queue 'ledger~2' has other arguments"],
    );

    const bound = 'books.events/q/ledger~2';
    const binding = JSON.stringify({ routing_key: 'entries.*' });
    await managing(`bindings/%2F/e/${bound}`, 'POST', binding);
    const stale = await of(['topology', 'plan'], quorum);
    assert.match(stale.said, /^- binding 'entries\.\*' of exchange 'books\.events' → queue 'ledger~2'/m);
    const pruned = await of(['topology', 'prune', '--yes'], quorum);
    assert.match(pruned.said, /^'entries\.\*' of exchange 'books\.events' → queue 'ledger~2'\n1 undone$/m);

    const monitored = new Monitored({
      transport: rabbitmq({ url: managed.node.url }),
      prefix: 'books',
      delayPrefix: undefined,
      queues: [],
      management: new Management(managed.managementUrl, '/'),
      wait: '2s',
    });
    try {
      const { queues: seen } = await monitored.look();
      const ours = seen.filter(({ queue }) => /ledger|migrations/.test(queue));
      assert.deepEqual(
        ours.map(({ queue, length, consumers }) => [queue, length, consumers]),
        [['ledger', 0, 1]],
      );
    } finally {
      await monitored.close();
    }
  });

  it('loses nothing of many thousand messages, and none is handled twice, killed at three random steps', async () => {
    await work({ type: 'classic' });
    await work({ type: 'classic' });
    const at = [...STEPS].sort(() => Math.random() - 0.5).slice(0, 3);
    const began = Date.now();
    const messages = sized(5_000, 50_000);
    await accountOf(async () => {
      for (const step of STEPS.filter((each) => at.includes(each))) await killedAt(step);
      done(await migrate({ type: 'quorum' }).ended);
    }, messages);
    if (process.env.MEASURE === '1')
      process.stderr.write(
        `${JSON.stringify({ at, published, handled: handled.flat().length, seconds: Math.round((Date.now() - began) / 1000) })}\n`,
      );
  });
});
