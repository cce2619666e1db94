import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { Bus, rabbitmq } from '../../src/index.js';
import { isCompared } from '../../src/topology/queue-arguments.js';
import { silentLogger } from '../../src/util/logger.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { type CommandOptions, type Ended, hopline } from './command.js';
import { type ManagedNode, managedNode } from './managed-node.js';

const APP = resolve(import.meta.dirname, 'apps/shop.js');

/** Two values of each argument of queues. */
const VALUES: Readonly<Record<string, readonly [first: unknown, second: unknown]>> = {
  'x-expires': [600_000, 700_000],
  'x-message-ttl': [60_000, 70_000],
  'x-dead-letter-exchange': ['a', 'b'],
  'x-max-length': [10, 20],
  'x-max-length-bytes': [1_000, 2_000],
  'x-overflow': ['drop-head', 'reject-publish'],
  'x-max-priority': [5, 6],
  'x-queue-mode': ['default', 'lazy'],
  'x-queue-version': [1, 2],
  'x-single-active-consumer': [true, false],
  'x-delivery-limit': [5, 6],
  'x-quorum-initial-group-size': [1, 3],
  'x-quorum-target-group-size': [1, 3],
  'x-queue-leader-locator': ['client-local', 'balanced'],
  'x-max-in-memory-length': [1, 2],
  'x-max-in-memory-bytes': [1, 2],
  'x-consumer-timeout': [600_000, 700_000],
  'x-consumer-disconnected-timeout': [60_000, 70_000],
  'x-delayed-retry-type': ['all', 'failed'],
  'x-delayed-retry-min': [1_000, 2_000],
  'x-delayed-retry-max': [1_000, 2_000],
  'x-of-mine': ['a', 'b'],
  'of-mine': ['a', 'b'],
};

const NO_MANAGEMENT = { MANAGEMENT_URL: 'http://127.0.0.1:1' };

describe('hopline topology plan and apply', function () {
  this.timeout(120_000);
  let managed: ManagedNode;
  let connection: ChannelModel;
  let channel: Channel;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    connection = await connect(managed.node.url);
    channel = await connection.createChannel();
  });

  after(async () => {
    await connection?.close();
  });

  const run = (words: readonly string[], options: CommandOptions = {}): Promise<Ended> =>
    hopline(['topology', ...words, '--app', APP], {
      url: managed.node.url,
      env: { MANAGEMENT_URL: managed.managementUrl },
      ...options,
    });

  /** Asks the management API: a quarter of the time of rabbitmqctl. */
  async function put(path: string, body: object): Promise<void> {
    const { origin, username, password } = new URL(managed.managementUrl);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(`${origin}/api/${path}`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
  }

  async function addUser(name: string, rights: object): Promise<void> {
    await put(`users/${name}`, { password: 'of-the-test', tags: '' });
    await put(`permissions/%2F/${name}`, rights);
  }

  const plan = (...words: string[]) => run(['plan', ...words]);
  const apply = (...words: string[]) => run(['apply', ...words]);

  it('show what a start would make, and make nothing of it before they are told to', async () => {
    const { code, stdout, stderr } = await plan('--check');
    assert.deepEqual([code, stderr], [1, '']);
    const lines = stdout.trimEnd().split('\n');
    for (const line of [
      '+ delays hopline.delay.1.*, for all applications of the vhost: 33 exchanges, 32 queues and 627 bindings',
      "+ exchange 'hopline.events', topic",
      '+ queue \'shop.orders\', quorum, x-delivery-limit = 200, x-dead-letter-exchange = "hopline.dead", x-dead-letter-routing-key = "shop.orders", x-dead-letter-strategy = "at-least-once", x-overflow = "reject-publish"',
      '+ queue \'shop.mail\', classic, x-dead-letter-exchange = "hopline.dead", x-dead-letter-routing-key = "shop.mail"',
      "+ exchange 'hopline.control', fanout",
      "+ binding 'order.placed' of exchange 'hopline.events' → queue 'shop.orders'",
      '+ 17 bindings by which retries, delayed messages and dead letters reach their queues',
    ])
      assert.ok(lines.includes(line), `${line}\n\n${stdout}`);
    assert.match(lines.at(-1) ?? '', /^\d+ to make, 0 unchanged$/);

    const unasked = await apply();
    assert.deepEqual([unasked.code, unasked.stdout], [2, stdout]);
    assert.match(
      unasked.stderr,
      /will be made, on 127\.0\.0\.1:\d+, vhost '\/'\n.*nobody is here to confirm it/,
    );
    const again = await plan();
    assert.deepEqual([again.code, again.stdout], [0, stdout]);
  });

  it('see by AMQP alone what is not there, and say what they could not see', async () => {
    const { code, stdout, stderr } = await run(['plan'], { env: NO_MANAGEMENT });
    assert.equal(code, 0);
    assert.match(stdout, /^\+ queue 'shop\.orders', quorum, /m);
    assert.match(
      stderr,
      /^note: arguments, types and bindings .* were not looked at, .*127\.0\.0\.1:1 does not answer/,
    );
  });

  it('name what a user may not make, and go on from there when run again', async () => {
    await addUser('halfway', { configure: '^hopline\\.delay\\.', write: '.*', read: '.*' });
    const url = managed.node.url.replace(/\/\/.*@/, '//halfway:of-the-test@');
    const { code, stderr } = await run(['apply', '--yes'], {
      url,
      env: { MANAGEMENT_URL: managed.managementUrl },
    });
    assert.equal(code, 1);
    assert.match(stderr, /not all was made: what is there stays, and the command can be run again/);
    assert.match(stderr, /not allowed to declare exchange 'hopline\.\w+'/);
    assert.doesNotMatch((await plan()).stdout, /delays/);
  });

  it('make all of it, once', async () => {
    const { code, stdout } = await apply('--yes');
    assert.equal(code, 0);
    assert.match(stdout, /^made: 6 exchanges, 7 queues and \d+ bindings$/m);
    const again = await apply('--yes');
    assert.deepEqual([again.code, again.stderr], [0, '']);
    assert.match(again.stdout, /^nothing to make, \d+ unchanged\nnothing to do: all is there\n$/);
    assert.deepEqual([(await plan('--check')).code], [0]);
    const unseeing = await run(['plan', '--check'], { env: NO_MANAGEMENT });
    assert.equal(unseeing.code, 1, 'what was not looked at may be wrong');
    assert.match(unseeing.stdout, /^nothing to make, \d+ unchanged, \d+ bindings not seen$/m);
  });

  it('leave it to services that only verify, with the rights for that', async () => {
    const rights = await hopline(['topology', 'permissions', APP, '--for', 'verify', '--json']);
    const [{ user, permissions, topicPermissions }] = JSON.parse(rights.stdout);
    const { configure, write, read } = permissions.verify;
    await addUser(user, { configure, write, read });
    for (const each of topicPermissions) await put(`topic-permissions/%2F/${user}`, each);
    const handled: unknown[] = [];
    const dead: string[] = [];
    const bus = new Bus({
      service: 'shop',
      topology: 'verify',
      transport: rabbitmq({ url: managed.node.url.replace(/\/\/.*@/, `//${user}:of-the-test@`) }),
      log: silentLogger,
    });
    bus
      .handle(
        ['order.placed', 'order.*.refunded'],
        (payload, { attempt }) => {
          handled.push([payload, attempt]);
          if (attempt === 1) throw new Error('again');
        },
        { queue: { name: 'shop.orders', lanes: ['high', 'default'] }, retry: { tries: 2, backoff: '100ms' } },
      )
      .handle('mail.#', (_, context) => context.fail('no mailbox'), {
        queue: { name: 'shop.mail', type: 'classic' },
      })
      .on('message.deadLettered', ({ queue }) => dead.push(queue));
    await bus.start();
    try {
      await bus.publish('order.placed', 7);
      await bus.publish('mail.sent', 8, { delay: '100ms' });
      await eventually(() => {
        assert.deepEqual(handled, [
          [7, 1],
          [7, 2],
        ]);
        assert.deepEqual(dead, ['shop.mail']);
      });
    } finally {
      await bus.stop();
    }
    assert.equal((await plan('--check')).code, 0, 'nothing was declared beside');
  });

  it('find what has gone since, part by part, and mend it, behind the last exchange of the delays as well', async () => {
    await channel.deleteQueue('hopline.delay.1.s30');
    await channel.unbindQueue('shop.orders', 'hopline.events', 'order.placed');
    await channel.bindQueue('shop.orders', 'hopline.events', 'order.cancelled');
    const { stdout } = await plan();
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^\+ queue 'hopline\.delay\.1\.s30', quorum, x-message-ttl = 30000, /);
    assert.equal(
      lines[1],
      '+ delays hopline.delay.1.*, for all applications of the vhost: 30 bindings',
      stdout,
    );
    for (const line of [
      "+ binding 'order.placed' of exchange 'hopline.events' → queue 'shop.orders'",
      "- binding 'order.cancelled' of exchange 'hopline.events' → queue 'shop.orders': no handler wants it, hopline topology prune removes it",
    ])
      assert.ok(lines.includes(line), stdout);
    assert.match((await apply('--yes')).stdout, /^made: 1 queue and \d+ bindings$/m);
    const after = await plan('--check');
    assert.equal(after.code, 0, 'what is left to prune is nothing that a start would change');
    assert.match(after.stdout, /^nothing to make|1 for prune, \d+ unchanged$/m);
    await channel.unbindQueue('shop.orders', 'hopline.events', 'order.cancelled');
  });

  it('take an argument of a queue for one that refuses a start where the broker does', async () => {
    const { product, version } = connection.connection.serverProperties;
    /** Undefined if it is declared, else why not. */
    const declaring = async (name: string, its: object) => {
      const asking = await connection.createChannel();
      asking.on('error', () => {});
      const refusal = await asking.assertQueue(name, { arguments: its }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (refusal === undefined) await asking.close();
      return refusal;
    };
    const differing: string[] = [];
    for (const type of ['classic', 'quorum'])
      for (const [argument, [first, second]] of Object.entries(VALUES)) {
        const name = `compared.${type}.${argument}`;
        const of = (value: unknown) => ({ 'x-queue-type': type, [argument]: value });
        // Not every version has each on each type.
        if ((await declaring(name, of(first))) !== undefined) continue;
        const refusal = await declaring(name, of(second));
        const isRefused = refusal?.includes(`inequivalent arg '${argument}'`) === true;
        if (isRefused !== isCompared(argument, { product: String(product), version: String(version) }))
          differing.push(`${type} ${argument}: ${refusal}`);
        await channel.deleteQueue(name);
      }
    assert.deepEqual(differing, []);
  });

  it('say how both differ what is there otherwise, and then make nothing', async () => {
    await channel.deleteQueue('shop.mail');
    await channel.assertQueue('shop.mail', { arguments: { 'x-queue-type': 'quorum', 'x-max-length': 5 } });
    await channel.deleteQueue('shop.orders.high');
    const { code, stdout, stderr } = await apply('--yes');
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^! queue 'shop\.mail' is there, but otherwise: a start is refused\n {4}type is "quorum", wanted "classic"$/m,
    );
    assert.match(stdout, /^ {4}x-max-length is 5, wanted not set$/m);
    assert.match(stdout, /hopline topology migrate shop\.mail$/m);
    assert.match(stderr, /^nothing was done: /);
    const { additions, differences } = JSON.parse((await plan('--json')).stdout);
    assert.ok(additions.some(({ thing }: { thing: { name?: string } }) => thing.name === 'shop.orders.high'));
    assert.deepEqual(
      differences.map(({ name, isRefused }: { name: string; isRefused: boolean }) => [name, isRefused]),
      [['shop.mail', true]],
    );
  });
});
