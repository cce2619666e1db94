import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { serverVersion } from '../support/broker/amqp-probe.js';
import { containerBroker } from '../support/broker/container.js';
import { externalBroker } from '../support/broker/external.js';
import { chosenVersion } from '../support/broker/find-program.js';
import { PrivateNode, provideBroker, type TestBroker } from '../support/broker/index.js';
import { Declined, type Way } from '../support/broker/way.js';
import { eventually } from '../support/eventually.js';
import { longTest } from '../support/long.js';
import { muteServer } from '../support/tcp-proxy.js';

/** A node takes five seconds to start on an idle machine; others may be busy beside it. */
const NODE_TIMEOUT_MS = 120_000;

describe('The broker of a test run', () => {
  const open = (name: string): Way => ({
    name,
    remedy: `Open ${name}.`,
    provide: async () =>
      ({ kind: 'process', url: name, version: '3.10.8', stop: async () => {} }) as TestBroker,
  });
  const closed = (name: string): Way => ({ ...open(name), provide: async () => new Declined(`no ${name}`) });
  const broken = (name: string): Way => ({
    ...open(name),
    provide: () => Promise.reject(new Error(`${name} broke`)),
  });

  const table = [
    { ways: [open('url'), open('container'), open('process')], taken: 'url', said: 'from url' },
    {
      ways: [closed('url'), open('container'), open('process')],
      taken: 'container',
      said: 'from container (no url)',
    },
    {
      ways: [closed('url'), closed('container'), open('process')],
      taken: 'process',
      said: 'from process (no url; no container)',
    },
  ];
  for (const { ways, taken, said } of table) {
    it(`comes ${said}`, async () => {
      const lines: string[] = [];
      const broker = await provideBroker(ways, (line) => lines.push(line));
      assert.equal(broker.url, taken);
      assert.deepEqual(lines, [`broker: RabbitMQ 3.10.8 ${said}`]);
    });
  }

  it('is not looked for any further once a way is open', async () => {
    await provideBroker([open('url'), broken('container')], () => {});
  });

  it('is not replaced by another if the way that is open is broken', async () => {
    await assert.rejects(provideBroker([broken('url'), open('container')]), /url broke/);
  });

  it('is explained way by way if there is none', async () => {
    await assert.rejects(provideBroker([closed('url'), closed('container')]), (error: Error) => {
      for (const part of ['url: no url. Open url.', 'container: no container. Open container.']) {
        assert.ok(error.message.includes(part), error.message);
      }
      return true;
    });
  });
});

describe('The environment', () => {
  const saved = { ...process.env };

  afterEach(() => {
    for (const name of ['AMQP_URL', 'DOCKER_HOST']) {
      if (saved[name] === undefined) delete process.env[name];
      else process.env[name] = saved[name];
    }
  });

  it('names no broker without AMQP_URL', async () => {
    delete process.env.AMQP_URL;
    assert.ok((await externalBroker.provide()) instanceof Declined);
  });

  it('may name a broker that does not answer: an error that shows the host and no password', async () => {
    process.env.AMQP_URL = 'amqp://user:secret@127.0.0.1:1/vhost';
    await assert.rejects(externalBroker.provide(), (error: Error) => {
      assert.match(error.message, /127\.0\.0\.1:1 .*ECONNREFUSED/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('may name a container daemon that never answers: it is given up after three seconds', async () => {
    const daemon = await muteServer();
    process.env.DOCKER_HOST = `tcp://127.0.0.1:${daemon.port}`;
    const began = Date.now();
    assert.ok((await containerBroker.provide()) instanceof Declined);
    assert.ok(Date.now() - began < 10_000);
    await daemon.close();
  });
});

describe('A private node', function () {
  this.timeout(NODE_TIMEOUT_MS);
  let node: PrivateNode;

  before(async () => {
    node = await PrivateNode.start({ config: ['consumer_timeout = 7000'] });
  });
  after(() => node?.stop());

  it('lets the tests log in', async () => {
    assert.match(await serverVersion(node.url), /^\d+\.\d+\.\d+/);
  });

  it('is under the command of its own rabbitmqctl', async () => {
    assert.match(await node.ctl('status'), new RegExp(`OS PID: ${node.pid}`));
  });

  it('takes further lines of configuration', async () => {
    assert.match(await node.ctl('environment'), /consumer_timeout,7000/);
  });

  it('lets many commands run at once', async () => {
    const commands = Array.from({ length: 4 }, () => node.ctl('list_vhosts'));
    for (const output of await Promise.all(commands)) assert.match(output, /^\/$/m);
  });

  it('passes on what a failed command said', async () => {
    await assert.rejects(node.ctl('delete_queue', 'nobody.knows'), /nobody\.knows/);
  });

  it('does itself what is one call within it, just as its rabbitmqctl would', async () => {
    const [password, vhost] = ['pä"ss\\', 'of one call'];
    assert.equal(await node.ctl('eval', 'F = [3, "a"], F.'), '[3,"a"]\n');
    await node.ctl('add_user', 'ada', 'another');
    await node.ctl('change_password', 'ada', password);
    assert.match(await node.ctl('authenticate_user', 'ada', password), /Success/);
    await node.ctl('add_vhost', vhost);
    await node.ctl('set_permissions', '-p', vhost, 'ada', '.*', '^a$', '\\.');
    assert.match(await node.ctl('list_user_permissions', 'ada'), /^of one call\t\.\*\t\^a\$\t\\\.$/m);
    await node.ctl('delete_user', 'ada');
    await node.ctl('delete_vhost', vhost);
    await assert.rejects(node.ctl('delete_vhost', vhost), /no_such_vhost/);
    await assert.rejects(node.ctl('change_password', 'ada', password), (error: Error) => {
      assert.match(error.message, /no_such_user/);
      assert.ok(!error.message.includes(password));
      return true;
    });
  });

  it('asks the folders first that hold most of its modules, and is shown no plugin that is off', async () => {
    const path = await node.ctl('eval', 'lists:sublist(code:get_path(), 2).');
    assert.match(path, /^\["[^"]+\/plugins\/rabbit-[\d.]+\/ebin",\s+"[^"]+\/rabbit-[\d.]+\/ebin"\]$/m);
    assert.ok(path.includes(join(node.dir, 'plugins/rabbit-')));
  });

  // A server in a root of its own loads them all.
  if (chosenVersion() === undefined)
    it('loads no library whole of which it calls little', async () => {
      const loaded = 'lists:filter(fun(M) -> code:is_loaded(M) =/= false end, [xmerl_xsd, mod_esi, rabbit]).';
      assert.equal((await node.ctl('eval', loaded)).trim(), '[rabbit]');
    });

  it('shares nothing with a node beside it', async () => {
    const other = await PrivateNode.start();
    try {
      await other.ctl('add_vhost', 'of-the-other');
      assert.doesNotMatch(await node.ctl('list_vhosts'), /of-the-other/);
      await other.kill();
    } finally {
      await other.stop();
    }
    await nothingIsLeftOf(other.dir);
    assert.match(await node.ctl('list_vhosts'), /^\/$/m);
  });

  // In short: the faults, which restart and kill theirs.
  longTest('restarts cleanly while it runs', async () => {
    const before = node.pid;
    await publishDurably(node.url, 'survivor', 'here again');
    await node.restart();
    assert.notEqual(node.pid, before);
    assert.equal(await takeOne(node.url, 'survivor'), 'here again');
  });

  longTest('keeps a durable message when it is killed and restarted', async () => {
    // The queue is the one of the test above: 3.10 forgets one that was declared less than a second before a kill.
    await publishDurably(node.url, 'survivor', 'still here');
    await node.kill();
    assert.equal(node.pid, undefined);
    await assert.rejects(serverVersion(node.url));
    await node.restart();
    assert.equal(await takeOne(node.url, 'survivor'), 'still here');
  });

  it('is not stopped as an external broker', async () => {
    const saved = process.env.AMQP_URL;
    process.env.AMQP_URL = node.url;
    try {
      const broker = await provideBroker(undefined, () => {});
      assert.deepEqual([broker.kind, broker.url, broker.ctl], ['external', node.url, undefined]);
      await broker.stop();
      await serverVersion(node.url);
    } finally {
      if (saved === undefined) delete process.env.AMQP_URL;
      else process.env.AMQP_URL = saved;
    }
  });
});

describe('Behind a private node', function () {
  this.timeout(NODE_TIMEOUT_MS);
  let parent: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'hopline-parent-'));
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('no process and no folder is left once it is stopped, and stopping again changes nothing', async () => {
    const node = await PrivateNode.start({ dir: parent, name: 'tidy' });
    assert.match(node.dir, /\/tidy-\w+$/);
    assert.ok((await processesOf(parent)).length >= 3, 'the VM, its port mapper and their guard are running');
    await node.stop();
    await node.stop();
    await nothingIsLeftOf(parent);
  });

  it('nothing is left if it could not start, and the error says why', async () => {
    const broken = PrivateNode.start({ dir: parent, config: ['no_such_setting = 1'] });
    await assert.rejects(broken, /ended while it started.*no_such_setting/s);
    await nothingIsLeftOf(parent);
  });

  it('nothing is left if the test process is killed', async () => {
    const tests = await startInAnotherProcess(parent);
    assert.ok((await processesOf(parent)).length >= 3);
    tests.kill('SIGKILL');
    await once(tests, 'exit');
    await nothingIsLeftOf(parent);
  });

  // In short: the one before this. The guard sees the same of either.
  longTest('nothing is left if the test process ends without stopping it, which it may', async () => {
    const tests = await startInAnotherProcess(parent);
    tests.stdin.end();
    await once(tests, 'exit');
    await nothingIsLeftOf(parent);
  });
});

/** A process that has started a node below `parent`, and ends by itself when its standard input does. */
async function startInAnotherProcess(parent: string) {
  const script = `
    import { PrivateNode } from ${JSON.stringify(import.meta.resolve('../support/broker/index.js'))};
    process.stdin.resume();
    await PrivateNode.start({ dir: process.argv[1] });
    process.stdout.write('started');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, parent], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'readable'); // also when it ends
  assert.equal(String(child.stdout.read()), 'started');
  return child;
}

async function nothingIsLeftOf(dir: string): Promise<void> {
  await eventually(async () => {
    assert.deepEqual(await processesOf(dir), []);
    assert.deepEqual(await readdir(dir).catch(() => []), []);
  });
}

/** Command lines of the processes that have `dir` in their arguments or, where /proc shows it, in their environment. */
async function processesOf(dir: string): Promise<string[]> {
  if (existsSync('/proc/self/environ')) {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
    return ids
      .filter((id) => `${procFile(id, 'cmdline')}\0${procFile(id, 'environ')}`.includes(dir))
      .map((id) => procFile(id, 'cmdline'));
  }
  const { stdout } = await promisify(execFile)('ps', ['-Aww', '-E', '-o', 'command=']);
  return stdout.split('\n').filter((line) => line.includes(dir));
}

/** Empty for another user's process, and for one that has ended meanwhile. */
function procFile(id: string, name: string): string {
  try {
    return readFileSync(`/proc/${id}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

async function publishDurably(url: string, queue: string, text: string): Promise<void> {
  const client = await connect(url);
  const channel = await client.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });
  channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
  await channel.waitForConfirms();
  await client.close();
}

async function takeOne(url: string, queue: string): Promise<string | undefined> {
  const client = await connect(url);
  const channel = await client.createChannel();
  const message = await channel.get(queue, { noAck: true });
  await client.close();
  return message ? message.content.toString() : undefined;
}
