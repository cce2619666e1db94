import assert from 'node:assert/strict';
import { rabbitmq } from '../../src/index.js';
import { openFailures } from '../../src/operate.js';
import { hopline } from '../cli/command.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { FrameProxy } from '../support/frame-proxy.js';
import { longTest } from '../support/long.js';
import { privateBroker } from '../support/private-broker.js';
import { deadLettersOf, faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

describe('a message that ends its connection', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let proxy: FrameProxy;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(async () => {
    proxy = await FrameProxy.start({ host: '127.0.0.1', port: node.port });
  });

  afterEach(async () => {
    await stopAll();
    await proxy.close();
  });

  it('with a type of header that the client library does not read is handled, in one frame or in many [row 47]', async () => {
    const { bus, seen } = faultBus(through(proxy, node));
    const handled: unknown[] = [];
    bus.handle('k', (payload, { headers }) => void handled.push([String(payload).length, headers.big]), {
      queue: uniqueName('queue'),
    });
    await bus.start();
    // The other tag of a 64-bit number: the client library writes only one of them.
    proxy.replace(Buffer.from('\x03bigl'), Buffer.from('\x03bigL'));
    const long = 'x'.repeat(300_000);
    for (const payload of ['short', long]) await bus.publish('k', payload, { headers: { big: 2 ** 40 } });
    await eventually(() => assert.equal(handled.length, 2));
    assert.deepEqual(handled, [
      [5, 2 ** 40],
      [300_000, 2 ** 40],
    ]);
    assert.deepEqual(seen('connection.down'), []);
  });

  it('with a header that nobody can read is dead-lettered as undecodable, and its connection lives [row 47]', async () => {
    const prefix = uniqueName('prefix');
    const { bus, seen } = faultBus(through(proxy, node), { prefix });
    const queue = uniqueName('queue');
    const handled: unknown[] = [];
    bus.handle('k', (payload) => void handled.push(payload), { queue });
    await bus.start();
    proxy.replace(Buffer.from('\x03bigl'), Buffer.from('\x03big?'));
    const headers = { first: 'readable', big: 2 ** 40 };
    await bus.publish('k', 'odd', { headers });
    await bus.publish('k', 'good');
    await eventually(() => assert.deepEqual(handled, ['good']));
    await eventually(async () => assert.equal(await deadLettersOf(node, queue), 1));
    const [letter] = seen('message.deadLettered');
    assert.equal(letter?.reason, 'undecodable');
    assert.equal(letter?.queue, queue);
    assert.match(String(letter?.error), /its header "big" can't be read/);
    const failures = await openFailures({
      transport: rabbitmq({ url: through(proxy, node) }),
      queues: [queue],
      prefix,
    });
    const [shown] = await failures.get(String(letter?.messageId));
    assert.equal(shown?.droppedHeaders, 'header "big"');
    await failures.close();
    assert.deepEqual(seen('connection.down'), []);
  });

  const MARKER = 'a-harmless-marker';

  interface Among {
    readonly type?: 'classic' | 'quorum';
    readonly deliveryLimit?: number;
  }

  /** A bus of six queues, and what each has handled. */
  async function sixQueues({ type = 'quorum', deliveryLimit = 8 }: Among) {
    const made = faultBus(through(proxy, node));
    const names = Array.from({ length: 6 }, (_, index) => uniqueName(`queue-${index}`));
    const handled = new Map<string, unknown[]>(names.map((name) => [name, []]));
    for (const [index, name] of names.entries()) {
      const queue = type === 'quorum' ? { name, deliveryLimit } : { name, type };
      made.bus.handle(`k${index}`, (payload) => void handled.get(name)?.push(payload), { queue });
    }
    await made.bus.start();
    const all = async (payload: unknown) => {
      for (const index of names.keys()) await made.bus.publish(`k${index}`, payload);
    };
    return { ...made, names, handled, all, guilty: names[4] as string };
  }

  it('ends on a quorum queue at its delivery limit, while the other queues go on; all say which it is [row 47]', async () => {
    const cut = proxy.cutAt(MARKER);
    const { bus, seen, log, names, handled, all, guilty } = await sixQueues({});
    await bus.publish('k4', MARKER);
    await eventually(() => assert.ok(seen('consumer.guilty').length > 0), { timeout: 20_000 });
    const { reasons, consumers } = bus.health();
    assert.match(
      reasons.join(),
      new RegExp(`^queue '${guilty}' has stood still since .*ends each connection`),
    );
    assert.equal(consumers.find(({ queue }) => queue === guilty)?.state, 'guilty');
    assert.ok(log.some((line) => line.includes('ends each connection; the other') && line.includes(guilty)));
    await all('after');
    const innocents = names.filter((name) => name !== guilty);
    await eventually(() => {
      for (const name of innocents) assert.deepEqual(handled.get(name), ['after'], name);
    });
    // Dead-lettered by the broker; what came after it is handled, and the queue goes back to the others.
    await eventually(() => assert.deepEqual(handled.get(guilty), ['after']), { timeout: 20_000 });
    assert.equal(await deadLettersOf(node, guilty), 1);
    assert.deepEqual([...new Set(seen('consumer.guilty').map(({ queue }) => queue))], [guilty]);
    assert.ok(cut.count <= 10, `${cut.count} connections`);
    await eventually(
      () => assert.deepEqual(new Set(seen('consumer.cleared').map(({ queue }) => queue)), new Set(names)),
      {
        timeout: 30_000,
      },
    );
    await all('again');
    await eventually(() => {
      for (const name of names) assert.deepEqual(handled.get(name), ['after', 'again'], name);
    });
    assert.deepEqual(bus.health().reasons, []);
  });

  it('stays on a classic queue, apart, until an operator moves it as health says; the others go on [row 47]', async () => {
    proxy.cutAt(MARKER);
    const { bus, seen, names, handled, all, guilty } = await sixQueues({ type: 'classic' });
    await bus.publish('k4', MARKER);
    await eventually(() => assert.ok(seen('consumer.guilty').length >= 2), { timeout: 20_000 });
    await all('after');
    await eventually(() => {
      for (const name of names) assert.deepEqual(handled.get(name), name === guilty ? [] : ['after'], name);
    });
    const told = bus.health().reasons.join();
    const [, pattern = '', policy = ''] = /set_policy move-head '(\S+)' '(\S+)'/.exec(told) ?? [];
    const definition = policy.replace('N', '1');
    await node.ctl(
      'set_policy',
      'move-head',
      pattern,
      definition,
      '--apply-to',
      'queues',
      '--priority',
      '1000',
    );
    await eventually(async () => assert.equal(await deadLettersOf(node, guilty), 1));
    await node.ctl('clear_policy', 'move-head');
    await eventually(() => assert.deepEqual(handled.get(guilty), ['after']), { timeout: 30_000 });
  });

  /** A service's dead letters, one after the other, without a proxy in the way; `again` has it take what is replayed. */
  async function deadLetters(payloads: readonly string[]) {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const { bus } = faultBus(node.url, { prefix, concurrency: 1 });
    const seen: unknown[] = [];
    let fails = true;
    const handle = (payload: unknown, context: { fail(reason: string): void }) => {
      if (fails) context.fail('no use');
      else seen.push(payload);
    };
    bus.handle('k', handle, { queue });
    await bus.start();
    for (const [index, payload] of payloads.entries()) {
      await bus.publish('k', payload, { messageId: `letter-${index + 1}` });
      await eventually(async () => assert.equal(await deadLettersOf(node, queue), index + 1));
    }
    const again = () => {
      fails = false;
    };
    return { prefix, queue, seen, again };
  }

  it('among dead letters is gone around: the others are listed, exported and replayed, and all can be deleted unread [row 47]', async () => {
    const { prefix, queue, seen, again } = await deadLetters(['one', 'two', 'three', MARKER, 'five', 'six']);
    again();
    proxy.cutAt(MARKER);
    const url = through(proxy, node);
    const failures = await openFailures({ transport: rabbitmq({ url }), queues: [queue], prefix });
    try {
      const listed = await failures.list();
      assert.deepEqual(listed.map(({ id }) => id).sort(), [
        'letter-1',
        'letter-2',
        'letter-3',
        'letter-5',
        'letter-6',
      ]);
      const [{ deadQueue, waiting } = {}] = failures.unreadable;
      assert.deepEqual({ deadQueue, waiting }, { deadQueue: `${queue}.dead`, waiting: 6 });
      const lines: string[] = [];
      for await (const line of failures.export()) lines.push(line);
      assert.equal(lines.length, 5);
      const { done, failed } = await failures.retry({ ids: ['letter-2'] });
      assert.deepEqual([done, failed], [1, []]);
      await eventually(() => assert.deepEqual(seen, ['two']));
    } finally {
      await failures.close();
    }
    const flags = ['--prefix', prefix, '--queue', queue];
    const at = { env: { AMQP_URL: url } };
    const list = await hopline(['failed', ...flags], at);
    assert.match(
      list.stderr,
      /a letter in .*\.dead ends each connection .*set_policy move-head .*"max-length":4/,
    );
    assert.match(list.stdout, /letter-6/);
    const flushed = await hopline(['failed', 'flush', ...flags, '--yes'], at);
    assert.match(flushed.stdout, /5 dead letters deleted/);
    assert.equal(await deadLettersOf(node, queue), 0);
  });

  it('is gone around by a replay and an export of all that nobody has looked at before, and what fails again waits [row 47]', async () => {
    const { prefix, queue, again } = await deadLetters(['one', 'two', 'three', MARKER, 'five', 'six']);
    const readable = [1, 2, 3, 5, 6].map((number) => `letter-${number}`);
    proxy.cutAt(MARKER);
    const url = through(proxy, node);
    const open = () => openFailures({ transport: rabbitmq({ url }), queues: [queue], prefix });
    const exporting = await open();
    const lines: { id: string }[] = [];
    try {
      for await (const line of exporting.export()) lines.push(JSON.parse(line));
    } finally {
      await exporting.close();
    }
    assert.deepEqual(lines.map(({ id }) => id).sort(), readable);
    const failures = await open();
    try {
      const replayed: string[] = [];
      const { done, gone, failed } = await failures.retry(
        {},
        { onProgress: ({ letter }) => replayed.push(letter.id) },
      );
      assert.deepEqual([replayed.sort(), done, gone, failed], [readable, 5, 0, []]);
      // All have failed again, and lie beside the one that can't be read.
      await eventually(async () => assert.equal(await deadLettersOf(node, queue), 6));
      again();
      assert.deepEqual((await failures.list()).map(({ id }) => id).sort(), readable);
    } finally {
      await failures.close();
    }
  });

  it('and others like it among dead letters are all gone around, wherever they lie, and told of with doctor [row 47]', async () => {
    const payloads = [MARKER, 'two', 'three', MARKER, MARKER, 'six', 'seven', MARKER];
    const { prefix, queue, seen, again } = await deadLetters(payloads);
    const readable = ['letter-2', 'letter-3', 'letter-6', 'letter-7'];
    again();
    const cut = proxy.cutAt(MARKER);
    const url = through(proxy, node);
    const failures = await openFailures({ transport: rabbitmq({ url }), queues: [queue], prefix });
    try {
      const listed = await failures.list();
      assert.deepEqual(
        listed.map(({ id }) => id),
        readable,
      );
      const [{ deadQueue, waiting, count } = {}] = failures.unreadable;
      assert.deepEqual({ deadQueue, waiting, count }, { deadQueue: `${queue}.dead`, waiting: 8, count: 4 });
      assert.ok(cut.count <= 40, `${cut.count} connections`);
      const lines: string[] = [];
      for await (const line of failures.export()) lines.push(line);
      assert.equal(lines.length, 4);
      const { done, failed } = await failures.retry({ ids: ['letter-3', 'letter-6'] });
      assert.deepEqual([done, failed], [2, []]);
      await eventually(() => assert.deepEqual(seen, ['three', 'six']));
    } finally {
      await failures.close();
    }
    const flags = ['--prefix', prefix, '--queue', queue];
    const examined = await hopline(['doctor', ...flags], { env: { AMQP_URL: url } });
    const told = /4 letters in .*\.dead end each connection .*\n.*set_policy move-head '(\S+)' '(\S+)'/;
    const [, pattern = '', policy = ''] = told.exec(examined.stdout) ?? [];
    assert.match(examined.stdout, /6 dead letters in/);
    assert.match(examined.stdout, /has consumers/);
    const apart = uniqueName('apart');
    await raw(node, (channel) => channel.assertQueue(apart));
    const definition = policy.replace('QUEUE', apart);
    await node.ctl(
      'set_policy',
      'move-head',
      pattern,
      definition,
      '--apply-to',
      'queues',
      '--priority',
      '1000',
    );
    await eventually(async () => assert.equal(await deadLettersOf(node, queue), 2));
    await node.ctl('clear_policy', 'move-head');
    const left = await hopline(['failed', ...flags], { env: { AMQP_URL: url } });
    assert.doesNotMatch(left.stderr, /connection/);
    await raw(node, async (channel) => assert.equal((await channel.checkQueue(apart)).messageCount, 4));
    assert.match(left.stdout, /letter-2.*letter-7/s);
  });

  // In short: sieve.test.ts, and the one before.
  longTest(
    'and more than ten like it among dead letters are too many to go around: that is said, and doctor goes on [row 47]',
    async () => {
      const { prefix, queue } = await deadLetters(['one', ...Array.from({ length: 11 }, () => MARKER)]);
      proxy.cutAt(MARKER);
      const url = through(proxy, node);
      const failures = await openFailures({ transport: rabbitmq({ url }), queues: [queue], prefix });
      try {
        await assert.rejects(
          failures.list(),
          (error: { code: string; message: string; help: string }) =>
            error.code === 'HOPLINE_UNREADABLE_LETTERS' &&
            /more than 10 of the 12 dead letters in/.test(error.message) &&
            /failed flush --queue/.test(error.help),
        );
      } finally {
        await failures.close();
      }
      const examined = await hopline(['doctor', '--prefix', prefix, '--queue', queue], {
        env: { AMQP_URL: url },
      });
      assert.match(examined.stdout, /more than 10 of the 12 dead letters in/);
      assert.match(examined.stdout, /12 dead letters in/);
      const flushed = await hopline(['failed', 'flush', '--prefix', prefix, '--queue', queue, '--yes'], {
        env: { AMQP_URL: url },
      });
      assert.match(flushed.stdout, /12 dead letters deleted/);
      assert.equal(await deadLettersOf(node, queue), 0);
    },
  );

  it('is not looked for where both connections go, as when a broker is restarted', async () => {
    const { bus, seen } = await sixQueues({});
    for (let times = 1; times <= 3; times += 1) {
      const before = seen('connection.up').length;
      await node.ctl('close_all_connections', 'an operator closes them');
      await eventually(() => assert.ok(seen('connection.up').length >= before + 2), { timeout: 20_000 });
      await eventually(() => assert.deepEqual(bus.health().reasons, []), { timeout: 20_000 });
    }
    assert.deepEqual(seen('consumer.suspected'), []);
  });
});
