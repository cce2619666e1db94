import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { connect } from 'amqplib';
import { Bus, rabbitmq } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { shopOf } from './apps/shop-of.js';
import { Command, hopline } from './command.js';
import { type ManagedNode, managedNode, ownManagedNode } from './managed-node.js';

const APP = resolve(import.meta.dirname, 'apps/shop.js');

interface Said {
  readonly severity: string;
  readonly check: string;
  readonly message: string;
}

describe('hopline topology show', () => {
  it('shows what the application wants, without a broker', async () => {
    const { code, stdout, stderr } = await hopline(['topology', 'show', '--app', APP]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      stdout,
      `service shop
├─ publishes to hopline.events
├─ exchange hopline.events (topic)
├─ exchange hopline.events.lane.high (topic)
├─ exchange hopline.dead (direct)
├─ exchange hopline.land (direct)
├─ queue shop.orders (quorum, delivery limit 200)
│  ├─ lanes high (shop.orders.high), default (shop.orders)
│  ├─ order.placed      of hopline.events → Orders
│  ├─ order.*.refunded  of hopline.events → Orders
│  └─ dead letters through hopline.dead → shop.orders.dead
├─ queue shop.mail (classic)
│  ├─ mail.#  of hopline.events → Mail
│  └─ dead letters through hopline.dead → shop.mail.dead
├─ hears operators through hopline.control, and keeps what is paused in hopline.paused
└─ delays hopline.delay.1.*, shared by all applications of the vhost
`,
    );
  });

  it('is the whole description with --json', async () => {
    const { code, stdout } = await hopline(['topology', 'show', '--json', '--app', APP]);
    const [described] = JSON.parse(stdout);
    assert.deepEqual([code, described.service, described.queues.length], [0, 'shop', 2]);
    assert.ok(described.plan.bindings.length > 0);
  });

  it('says which application it means to be told', async () => {
    const { code, stderr } = await hopline(['topology', 'show'], { cwd: '/' });
    assert.equal(code, 2);
    assert.match(stderr, /^error: which application\? Give --app/m);
  });
});

describe('hopline doctor', function () {
  this.timeout(90_000);
  let managed: ManagedNode;
  let bus: Bus;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    bus = shopOf({ Bus, rabbitmq }, managed.node.url);
  });
  after(async () => {
    await bus?.stop();
  });

  const run = (args: string[], env: Record<string, string> = {}) =>
    hopline(args, {
      url: managed.node.url,
      env: { MANAGEMENT_URL: managed.managementUrl, ...env },
    });

  /** All that doctor has to complain of, and its exit code. */
  async function complaints(env?: Record<string, string>): Promise<[number | string, Said[]]> {
    const { code, stdout, stderr } = await run(['doctor', '--json', '--app', APP], env);
    assert.equal(stderr, '');
    const said = (JSON.parse(stdout) as Said[]).filter(({ severity }) => severity !== 'ok');
    return [code, said];
  }

  it('names all that is missing before the service has ever started', async () => {
    const [code, said] = await complaints();
    assert.equal(code, 1);
    const missing = said.filter(({ check }) => check === 'topology').map(({ message }) => message);
    for (const name of [
      "exchange 'hopline.events'",
      "exchange 'hopline.delay.1.ready'",
      "queue 'shop.orders.dead'",
    ])
      assert.ok(missing.includes(`${name} is missing`), name);
    assert.equal(missing.length, said.length);
  });

  it('finds nothing wrong with a service that runs, and says so in lines', async () => {
    await bus.start();
    await eventually(async () => assert.deepEqual(await complaints(), [0, []]), {
      timeout: 20_000,
      interval: 500,
    });
    const { code, stdout } = await run(['doctor', '--app', APP]);
    assert.equal(code, 0);
    assert.match(stdout, /^ok {7}RabbitMQ 3\.\d+\.\d+ at 127\.0\.0\.1:\d+, vhost '\/'$/m);
    assert.match(stdout, /^ok {7}each of 3 queues has consumers$/m);
    assert.ok(!stdout.includes('\u001b'), 'no colours in a pipe');
  });

  it('counts dead letters, names policies, bindings that nobody wants, and queues that nobody consumes', async () => {
    await bus.publish('mail.welcome', 1);
    const connection = await connect(managed.node.url);
    const channel = await connection.createChannel();
    await channel.bindQueue('shop.orders', 'hopline.events', 'order.renamed');
    await managed.node.ctl('set_policy', 'short', '^shop', '{"message-ttl":60000}', '--apply-to', 'queues');
    const messages = await eventually(
      async () => {
        const [, said] = await complaints();
        return said.length >= 3 && said.map(({ message }) => message);
      },
      { timeout: 20_000, interval: 500 },
    );
    assert.match(messages[0] as string, /^1 dead letter in 'shop\.mail\.dead', the oldest \d+/);
    assert.match(messages[1] as string, /^policy 'short' sets message-ttl on queue 'shop\.\w+/);
    assert.match(messages[2] as string, /^queue 'shop\.orders' is bound to 'order\.renamed'/);
    await managed.node.ctl('clear_policy', 'short');
    await connection.close();
  });

  it('does not believe a management API that speaks for another broker, and prunes nothing by it', async () => {
    const other = await ownManagedNode();
    try {
      const [code, said] = await complaints({ MANAGEMENT_URL: other.managementUrl });
      assert.equal(code, 0);
      assert.match(
        said.find(({ check }) => check === 'management')?.message ?? '',
        /speaks for cluster '.+', and the/,
      );
      const pruned = await run(['topology', 'prune', '--yes', '--app', APP], {
        MANAGEMENT_URL: other.managementUrl,
      });
      assert.equal(pruned.code, 1);
      assert.match(pruned.stderr, /^error: the management API at .+ speaks for cluster/);
    } finally {
      await other.node.stop();
    }
  });

  it('prunes what nobody wants any more, after asking', async () => {
    const prune = ['topology', 'prune', '--app', APP];
    const nobody = await run(prune);
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /nobody is here to confirm it/);
    const env = { MANAGEMENT_URL: managed.managementUrl };
    const no = await new Command(prune, { url: managed.node.url, env, terminal: true }).answer('n');
    assert.match(no.stdout, /nothing was done/);

    const yes = await run([...prune, '--yes']);
    assert.equal(yes.code, 0);
    assert.match(
      yes.stdout,
      /^'order\.renamed' of exchange 'hopline\.events' → queue 'shop\.orders'\n1 undone$/m,
    );
    assert.match((await run(prune)).stdout, /^nothing to prune/);
    await bus.send('order.placed', 1); // what is wanted is still bound
  });

  it('names an alarm, with the management API and without', async () => {
    await managed.node.ctl('set_vm_memory_high_watermark', '0.000001');
    try {
      await eventually(
        async () => {
          const [code, said] = await complaints();
          assert.equal(code, 1);
          // The management API learns of it some seconds later than AMQP.
          assert.match(
            said.find(({ check }) => check === 'alarms')?.message ?? '',
            /^node .+ has a memory alarm$/,
          );
        },
        { timeout: 30_000, interval: 500 },
      );
      const [code, said] = await complaints({ MANAGEMENT_URL: 'http://127.0.0.1:1' });
      assert.equal(code, 1);
      assert.equal(
        said.find(({ check }) => check === 'alarms')?.message,
        'the broker blocks publishers: low on memory',
      );
      assert.match(
        said.find(({ check }) => check === 'management')?.message ?? '',
        /127\.0\.0\.1:1 does not answer/,
      );
    } finally {
      await managed.node.ctl('set_vm_memory_high_watermark', '0.4');
    }
  });

  it('names queues without consumers once the service has stopped', async () => {
    await bus.stop();
    await eventually(
      async () => {
        const [code, said] = await complaints();
        assert.equal(said.filter(({ check }) => check === 'consumers').length, 3);
        assert.equal(code, 0); // the alarm of before is over for the management API, too
      },
      { timeout: 30_000, interval: 500 },
    );
  });

  it('that finds no broker says so in a line', async () => {
    const { code, stdout, stderr } = await hopline(['doctor', '--queue', 'q'], {
      url: 'amqp://guest:canary-Pa55@127.0.0.1:1',
      cwd: '/',
    });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^error: can't connect to 127\.0\.0\.1:1 in time/);
    assert.doesNotMatch(stderr, /canary|\n.+\n/);
  });
});
