import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { Command, hopline } from './command.js';

describe('hopline dashboard', function () {
  this.timeout(60_000);
  let url: string;
  let folder: string;
  let command: Command | undefined;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    ({ url } = await sharedBroker());
    folder = await mkdtemp(join(tmpdir(), 'hopline-dashboard-'));
  });
  afterEach(async () => {
    command?.child.kill('SIGKILL');
    await command?.ended;
    command = undefined;
  });
  after(() => rm(folder, { recursive: true }));

  /** Its address, once it listens. */
  async function served(...flags: string[]): Promise<{ readonly address: string; readonly its: Command }> {
    const its = new Command(['dashboard', '--port', '0', '--prefix', 'dashboard-test', ...flags], { url });
    command = its;
    const address = await eventually(() => /^dashboard at (\S+)$/m.exec(its.stdout)?.[1] ?? false, {
      timeout: 20_000,
    });
    return { address, its };
  }

  it('serves the pages of an application on this machine alone, and ends at a signal', async () => {
    const { address, its } = await served('--name', 'My shop', '--queue', 'dashboard-test.orders');
    assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await fetch(address);
    assert.equal(page.status, 200);
    assert.match(page.url, /\/my-shop\/$/);
    const text = await page.text();
    assert.match(text, /My shop/);
    assert.match(text, new RegExp(`${new URL(url).hostname}:\\d+, vhost`));
    assert.doesNotMatch(text, /guest:guest|name="token"/);
    its.child.kill('SIGTERM');
    const { code, stdout, stderr } = await its.ended;
    assert.deepEqual([code, stderr], [0, ''], stdout);
  });

  it('asks for users of the lines that it makes, which show no password', async () => {
    const made = await hopline(['dashboard', 'user', 'ann'], { input: 'correct horse battery\n' });
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /^ann:scrypt\$32768\$8\$3\$[\w+/=]+\$[\w+/=]+\n$/);
    const look = await hopline(['dashboard', 'user', 'bob', '--look'], { input: 'another long one' });
    assert.match(look.stdout, /^bob:scrypt\$.*:look\n$/);
    const users = join(folder, 'users.txt');
    await writeFile(users, made.stdout + look.stdout);
    const { address } = await served('--auth', users, '--host', '0.0.0.0', '--allow-actions');
    const own = address.replace('0.0.0.0', '127.0.0.1');
    const statusBy = async (name: string, password: string) => {
      const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
      return (await fetch(own, { headers: { authorization } })).status;
    };
    assert.equal((await fetch(own)).status, 401);
    assert.equal(await statusBy('ann', 'correct horse battery'), 200);
    assert.equal(await statusBy('bob', 'another long one'), 200);
    assert.equal(await statusBy('bob', 'correct horse battery'), 401);
  });

  it('shows several vhosts, each as an application of its own', async () => {
    const { address } = await served('--vhost', '/', '--vhost', 'other');
    const text = await (await fetch(`${address}other/`)).text();
    assert.match(text, /vhost (?:'|&#39;|&apos;)other/);
    assert.match(text, /href="\/app\/"/);
  });

  for (const [what, flags, message] of [
    ['a short password', ['user', 'ann'], /less than 10 characters/],
    [
      'an address that others reach, without users',
      ['--host', '0.0.0.0'],
      /expected auth beside host '0\.0\.0\.0'/,
    ],
    ['two ways to ask', ['--auth', 'x', '--auth-header', 'y'], /both --auth and --auth-header/],
    ['a file that is not there', ['--auth', '/nowhere/users.txt'], /can't read the file auth\.users names/],
    ['a port that is none', ['--port', 'many'], /--port is no port/],
  ] as const)
    it(`refuses ${what}`, async () => {
      const its = await hopline(['dashboard', ...flags], { url, input: 'short' });
      assert.equal(its.code, 2, its.stdout + its.stderr);
      assert.match(its.stderr, message);
    });

  it('says that its port is taken, by which flag', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await eventually(() => server.listening);
    const { port } = server.address() as { port: number };
    try {
      const its = await hopline(['dashboard', '--prefix', 'dashboard-test', '--port', String(port)], { url });
      assert.equal(its.code, 2);
      assert.match(
        its.stderr,
        new RegExp(`--port can't be 127\\.0\\.0\\.1:${port}: another process listens there`),
      );
    } finally {
      server.close();
    }
  });
});
