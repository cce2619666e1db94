import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BusOptions } from '../../src/bus/options.js';
import { EVENT_NAMES } from '../../src/events/event-names.js';
import { Bus, type Logger, type RabbitmqOptions, rabbitmq, staticKeys } from '../../src/index.js';
import { hopline, INDEX } from '../cli/command.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { everything, formsOf, found } from '../support/secret.js';
import { muteServer } from '../support/tcp-proxy.js';
import { raw, stopAll, uniqueName } from './fixture.js';

/** With what has to be percent-encoded in a URL, and with what need not; ASCII, since rabbitmqctl 4 encodes others twice. */
const CANARY = "c@nary/P%55:w0rd+?'";

/** All that a broker has written, as one text with a character for each byte. */
async function filesUnder(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  // One that is removed meanwhile held nothing that is not elsewhere.
  const texts = files.map(({ parentPath, name }) =>
    readFile(join(parentPath, name), 'latin1').catch(() => ''),
  );
  return (await Promise.all(texts)).join('\n');
}

describe('a canary in the place of the password turns up nowhere [row 8]:', function () {
  this.timeout(120_000);
  const user = uniqueName('user');
  const queue = uniqueName('queue');
  const told: string[] = [];
  const buses = new Set<Bus>();
  let node: PrivateNode;
  let directory: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
    directory = await mkdtemp(join(tmpdir(), 'hopline-canary-'));
    await node.ctl('add_user', user, CANARY);
    await node.ctl('set_permissions', user, '.*', '.*', '.*');
  });

  afterEach(async () => {
    await Promise.all([...buses].map((bus) => bus.stop().catch(tell)));
    buses.clear();
    const text = told.splice(0).join('\n');
    assert.ok(text.length > 0, 'something was told');
    assert.deepEqual(found(CANARY, text), [], text.slice(0, 2_000));
  });

  after(async () => {
    await stopAll();
    await node?.ctl('delete_user', user);
    await rm(directory, { recursive: true });
  });

  const tell = (value: unknown) => void told.push(typeof value === 'string' ? value : everything(value));

  const urlWith = (its: string, port = node.port) =>
    `amqp://${user}:${encodeURIComponent(its)}@127.0.0.1:${port}`;

  /** A bus that tells all it can: log, events, its own description, and itself. */
  function canaryBus(options: Partial<RabbitmqOptions> = {}, more: Partial<BusOptions> = {}): Bus {
    const write = (level: string) => (fields: object, message: string) => {
      tell(`${level} ${message}`);
      tell(fields);
    };
    const log: Logger = {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    };
    const transport = rabbitmq({ url: urlWith(CANARY), connectDeadline: '2s', ...options });
    const bus = new Bus({
      service: uniqueName('service'),
      prefix: uniqueName('prefix'),
      transport,
      log,
      ...more,
    });
    for (const name of EVENT_NAMES) {
      bus.on(name, (event) => {
        tell(name);
        tell(event);
      });
    }
    buses.add(bus);
    return bus;
  }

  async function refusedWith(code: string, work: Promise<unknown>): Promise<void> {
    await assert.rejects(work, (error) => {
      tell(error);
      assert.equal((error as { code?: string }).code, code, everything(error).slice(0, 2_000));
      return true;
    });
  }

  it('the search finds it in each form', () => {
    const basic = Buffer.from(`${user}:${CANARY}`);
    for (const dump of [
      urlWith(CANARY),
      `Basic ${basic.toString('base64')}`,
      `token=${basic.toString('base64url')}`,
      everything({ response: Buffer.from(`\0${user}\0${CANARY}`) }),
      everything(
        new Error('outer', { cause: new Error('inner', { cause: new TypeError(urlWith(CANARY)) }) }),
      ),
      everything(Object.defineProperty({}, 'hidden', { value: { deep: { deeper: CANARY } } })),
      JSON.stringify({ password: CANARY }),
    ]) {
      assert.ok(found(CANARY, dump).length > 0, dump);
    }
    assert.ok(formsOf(CANARY).every((form) => form.length > 10));
    tell('nothing of it');
  });

  it('when nobody listens, when nobody answers, and when it is the wrong one', async () => {
    const mute = await muteServer();
    const short = { startDeadline: '3s' } as const;
    await refusedWith('HOPLINE_CONNECT', canaryBus({ url: urlWith(CANARY, 1) }, short).start());
    await refusedWith('HOPLINE_CONNECT', canaryBus({ url: urlWith(CANARY, mute.port) }, short).start());
    await mute.close();
    await refusedWith('HOPLINE_CONNECT', canaryBus({ url: urlWith(`${CANARY}${CANARY}`) }).start());
    await refusedWith('HOPLINE_CONNECT', canaryBus({ url: `${urlWith(CANARY)}/no-such-vhost` }).start());
    const overTls = urlWith(CANARY).replace('amqp:', 'amqps:');
    await refusedWith('HOPLINE_CONNECT', canaryBus({ url: overTls }).start());
    const unknownHost = urlWith(CANARY).replace('127.0.0.1', 'no-such-host.invalid');
    await refusedWith(
      'HOPLINE_CONNECT',
      canaryBus({ url: [urlWith(CANARY, 1), unknownHost] }, short).start(),
    );
  });

  it('when the url is wrong, given or brought', async () => {
    for (const wrong of [
      urlWith(CANARY).replace('amqp:', 'http:'),
      urlWith(CANARY).replace('amqp://', ''),
      urlWith(CANARY).replace('127.0.0.1', ''),
      `${urlWith(CANARY)}?verify=verify_none&password=${encodeURIComponent(CANARY)}`,
      `amqp://${user}:${CANARY}@127.0.0.1`,
    ]) {
      assert.throws(
        () => rabbitmq({ url: wrong }),
        (error) => {
          tell(error);
          return true;
        },
      );
      await refusedWith('HOPLINE_OPTIONS', canaryBus({ url: async () => wrong }).start());
    }
    for (const options of [
      { url: 'amqp://h', password: CANARY },
      { service: urlWith(CANARY) },
      urlWith(CANARY),
    ]) {
      for (const make of [rabbitmq, (its: unknown) => new Bus(its as BusOptions)]) {
        try {
          make(options as never);
        } catch (error) {
          tell(error);
        }
      }
    }
  });

  it('while a bus lives through closed connections, an alarm, and what its handlers throw', async () => {
    const bus = canaryBus({}, { publishDeadline: '1s' });
    const handled: unknown[] = [];
    bus.handle(
      'work',
      (what, context) => {
        handled.push(what);
        if (what === 'bad') throw new Error('again', { cause: context });
      },
      { queue, retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    tell(bus.describe());
    tell(bus);
    await bus.publish('work', 'good');
    await bus.publish('work', 'bad');
    await refusedWith('HOPLINE_UNROUTABLE', bus.send('nobody.takes.this', {}, { deadline: '15s' }));
    await refusedWith('HOPLINE_INVALID_MESSAGE', bus.publish('work', 1n));
    await refusedWith('HOPLINE_MESSAGE_TOO_LARGE', bus.publish('work', 'x'.repeat(17 * 2 ** 20)));
    await eventually(() => assert.ok(told.includes('message.deadLettered')), { timeout: 20_000 });
    await node.ctl('close_all_connections', 'test');
    await eventually(() => bus.publish('work', 'after').then(() => assert.ok(handled.includes('after'))), {
      timeout: 20_000,
    });
    await node.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
    try {
      const blocked = bus.publish('work', 'blocked', { deadline: '6s' });
      const ended = assert.rejects(blocked, (error) => {
        tell(error);
        return true;
      });
      await eventually(() => assert.ok(told.includes('connection.blocked')), { timeout: 20_000 });
      await assert.rejects(bus.publish('work', 'unsent', { deadline: '500ms' }), (error) => {
        tell(error);
        return true;
      });
      await ended;
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
    tell(bus);
    tell(bus.health());
    assert.ok(
      ['connection.down', 'handler.failed', 'message.deadLettered'].every((name) => told.includes(name)),
    );
  });

  it('when a queue is another than wanted, or may not be read', async () => {
    const other = uniqueName('other');
    await raw(node, (channel) => channel.assertQueue(other, { durable: true }));
    const bus = canaryBus();
    bus.handle('work', () => {}, { queue: other });
    await refusedWith('HOPLINE_TOPOLOGY', bus.start());
    await node.ctl('set_permissions', user, '.*', '.*', '^$');
    try {
      const refused = canaryBus();
      refused.handle('work', () => {}, { queue: uniqueName('queue') });
      await refusedWith('HOPLINE_TOPOLOGY', refused.start());
    } finally {
      await node.ctl('set_permissions', user, '.*', '.*', '.*');
    }
  });

  it("in the payload of an encrypted message, on the broker's disk, either: retried, delayed, in a chain, dead", async () => {
    const keys = staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
    const bus = canaryBus({}, { encryption: { keys } });
    const open = uniqueName('open');
    const its = uniqueName('queue');
    const handled: unknown[] = [];
    bus.handle(
      'secret.*',
      async (payload, { attempt, step }) => {
        handled.push(payload);
        if (attempt < 2 || !step || step.number === 2) throw new Error('again');
        step.pass(payload);
      },
      { queue: its, encrypted: true, retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    const payload = { why: CANARY };
    await bus.send('secret.alone', payload, { encrypted: true, delay: '100ms' });
    const step = (key: string) => ({ key, payload, encrypted: true });
    await bus.chain([step('secret.first'), step('secret.second'), step('secret.third')]).dispatch();
    // What finds nothing must be able to find something.
    await bus.publish('secret.plain', open);
    const dead = () => told.filter((line) => line === 'message.deadLettered').length;
    await eventually(() => assert.equal(dead(), 3), { timeout: 20_000 });
    assert.equal(handled.length, 6);
    assert.ok(handled.every((each) => (each as typeof payload).why === CANARY));
    tell(bus);
    const { stdout } = await hopline(['failed', 'export', '--queue', its], { url: urlWith(CANARY) });
    assert.match(stdout, /"encryptedWith":"k1"/);
    tell(stdout);
    const disk = await filesUnder(node.dir);
    assert.ok(disk.includes(open), 'what is plain lies on the disk');
    assert.deepEqual(found(CANARY, disk), []);
  });

  it('in what the command prints, whether it gets in or not', async () => {
    const app = join(directory, 'app.mjs');
    await writeFile(
      app,
      `import { Bus, rabbitmq } from ${JSON.stringify(INDEX)};
       export const bus = new Bus({ service: 'canary', transport: rabbitmq({ url: process.env.AMQP_URL }) });
       bus.handle('work', () => {}, { queue: '${queue}' });`,
    );
    const broken = join(directory, 'broken.mjs');
    await writeFile(broken, 'throw new Error("no broker at " + process.env.AMQP_URL);');
    const anywhere = ['--queue', queue, '--verbose'];
    const lines: [args: string[], url: string, codes: number[]][] = [
      [['failed', 'list', ...anywhere], urlWith(CANARY), [0]],
      [['failed', 'list', '--json', ...anywhere], urlWith(CANARY), [0]],
      [['failed', 'export', ...anywhere], urlWith(CANARY), [0]],
      [['failed', 'list', ...anywhere], urlWith(`${CANARY}${CANARY}`), [1]],
      [['failed', 'list', ...anywhere], urlWith(CANARY, 1), [1]],
      [['failed', 'list', ...anywhere], urlWith(CANARY).replace('amqp:', 'http:'), [2]],
      [['failed', 'list', ...anywhere, '--url', urlWith(CANARY)], '', [2]],
      [['doctor', '--app', app, '--management', 'http://127.0.0.1:1'], urlWith(CANARY), [0, 1]],
      [['doctor', '--app', app, '--json'], urlWith(CANARY, 1), [1]],
      [['doctor', '--app', broken, '--verbose'], urlWith(CANARY), [2]],
      [['publish', 'work', '{}', '--verbose'], urlWith(CANARY, 1), [1]],
      [['topology', 'show', '--app', app], urlWith(CANARY), [0]],
      [['topology', 'permissions', app], urlWith(CANARY), [0]],
    ];
    for (const [args, url, codes] of lines) {
      const { code, stdout, stderr } = await hopline(args, { url });
      assert.ok(codes.includes(code as number), `${args.join(' ')}: ${code} ${stderr}`);
      tell(`${args.slice(0, 2)} ${stdout}${stderr}`);
    }
  });
});
