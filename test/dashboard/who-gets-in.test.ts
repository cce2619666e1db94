import assert from 'node:assert/strict';
import { randomUUID, scryptSync } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dashboard } from '../../src/dashboard/index.js';
import { keptPassword } from '../../src/dashboard/server/auth/password.js';
import { OptionsError } from '../../src/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { ask, Dashboards } from './dashboards.js';

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

describe('the gate of a dashboard', () => {
  const dashboards = new Dashboards();
  const statusOf = async (one: Dashboard, headers: Record<string, string> = {}, host = 'localhost:7700') =>
    (await ask(one, '/shop/', { headers, host })).status;

  describe('without auth', () => {
    it('answers under the names of this machine, at any port, and under no other name or address', async () => {
      const one = dashboards.make();
      for (const host of ['localhost', 'LOCALHOST:7700', '127.0.0.1:7700', '[::1]:7700'])
        assert.equal(await statusOf(one, {}, host), 200, host);
      const others = ['evil.example', 'evil.example:7700', '10.0.0.7', 'localhost.evil.example', '[::2]'];
      for (const host of others) assert.equal(await statusOf(one, {}, host), 403, host);
      // What the connection says and what the address says may differ.
      assert.equal(await statusOf(one, { host: 'evil.example' }), 403);
    });

    it('tells whoever comes by another name nothing of what there is', async () => {
      const answer = await ask(dashboards.make(), '/shop/', { host: 'evil.example' });
      const text = await answer.text();
      assert.match(text, /Without auth the dashboard answers to 127\.0\.0\.1/);
      assert.doesNotMatch(text, /Shop|in memory/);
    });

    it('refuses what a proxy has handed on, from wherever it seems to come', async () => {
      const one = dashboards.make();
      for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
        assert.equal(await statusOf(one, { [name]: '203.0.113.9' }), 403, name);
    });

    it('refuses a connection from another address', async () => {
      const one = dashboards.make();
      const from = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
      const by = async (address: string) =>
        (await one.fetch(new Request('http://localhost/shop/'), from(address))).status;
      assert.equal(await by('127.0.0.1'), 200);
      assert.equal(await by('::ffff:127.0.0.1'), 200);
      assert.equal(await by('10.0.0.7'), 403);
    });

    it('refuses a request of which nobody knows where it comes from, and says what to do', async () => {
      const answer = await dashboards.make().fetch(new Request('http://localhost/shop/'));
      assert.equal(answer.status, 403);
      assert.match(await answer.text(), /Mount dashboard\.listener, or give auth/);
    });

    it('does not listen where others can reach it', async () => {
      const one = dashboards.make();
      await assert.rejects(one.listen({ port: 0, host: '0.0.0.0' }), (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(error.message, /expected auth beside host '0\.0\.0\.0'/);
        return true;
      });
    });
  });

  describe('with users', () => {
    // Cheap to check, since there are many.
    const salt = Buffer.from('salt of a test');
    const hash = scryptSync('correct horse', salt, 32, { cost: 1_024, blockSize: 8, parallelization: 1 });
    const kept = `scrypt$1024$8$1$${salt.toString('base64')}$${hash.toString('base64')}`;

    it('asks for name and password, and lets in whoever knows both', async () => {
      const one = dashboards.make({ auth: { users: [`ann:${kept}`, `bob:${kept}:look`] } });
      const asked = await ask(one, '/shop/');
      assert.equal(asked.status, 401);
      assert.equal(asked.headers.get('www-authenticate'), 'Basic realm="Hopline", charset="UTF-8"');
      assert.doesNotMatch(await asked.text(), /Shop/);
      assert.equal(await statusOf(one, basic('ann', 'wrong')), 401);
      assert.equal(await statusOf(one, basic('nobody', 'correct horse')), 401);
      assert.equal(await statusOf(one, { authorization: 'Basic !' }), 401);
      for (const name of ['ann', 'bob'])
        assert.equal(await statusOf(one, basic(name, 'correct horse')), 200, name);
      const page = await ask(one, '/shop/', { headers: basic('ann', 'correct horse') });
      assert.match(await page.text(), /Signed in as ann/);
    });

    it('guards files and followed pages, too', async () => {
      const one = dashboards.make({ auth: { users: [`ann:${kept}`] } });
      for (const path of ['/', '/assets/client.js', '/shop/live?page=/', '/shop/nothing'])
        assert.equal((await ask(one, path)).status, 401, path);
    });

    it('checks a password once, and then trusts it for a while', async () => {
      const one = dashboards.make({ auth: { users: [`ann:${await keptPassword('correct horse')}`] } });
      assert.equal(await statusOf(one, basic('ann', 'correct horse')), 200);
      const began = process.cpuUsage();
      for (let count = 0; count < 20; count += 1)
        assert.equal(await statusOf(one, basic('ann', 'correct horse')), 200);
      // One check takes longer than all of these.
      const { user } = process.cpuUsage(began);
      const checking = process.cpuUsage();
      assert.equal(await statusOf(one, basic('ann', 'wrong')), 401);
      assert.ok(process.cpuUsage(checking).user * 20 > user, `${user} µs for 20`);
    });

    it('stops guessing from one place for a minute, even with the right one then, and nobody else', async () => {
      const one = dashboards.make({ auth: { users: [`ann:${kept}`] } });
      const from = async (remoteAddress: string, password: string) => {
        const guess = new Request('http://localhost/shop/', { headers: basic('ann', password) });
        return await one.fetch(guess, { incoming: { socket: { remoteAddress } } });
      };
      const codes = [];
      for (let count = 0; count < 11; count += 1)
        codes.push((await from('10.0.0.7', `guess ${count}`)).status);
      assert.deepEqual(codes, [...Array(10).fill(401), 429]);
      const late = await from('10.0.0.7', 'correct horse');
      assert.equal(late.status, 429);
      assert.match(String(late.headers.get('retry-after')), /^\d+$/);
      assert.equal((await from('10.0.0.8', 'correct horse')).status, 200);
    });

    it('lets in others from an address where somebody guesses, goes on with who is at work, and writes a line for each wrong password', async () => {
      const lines: Record<string, unknown>[] = [];
      const warn = (fields: object, message: string) => void lines.push({ ...fields, message });
      const users = [`ann:${kept}`, `bob:${kept}`, `eve:${kept}`];
      const one = dashboards.make({ auth: { users }, log: { ...silentLogger, warn } });
      const by = async (name: string, password: string) => statusOf(one, basic(name, password));
      assert.equal(await by('bob', 'correct horse'), 200);
      for (let count = 0; count < 10; count += 1) assert.equal(await by('ann', `guess ${count}`), 401);
      assert.equal(await by('ann', 'correct horse'), 429);
      assert.equal(await by('bob', 'correct horse'), 200);
      assert.equal(await by('eve', 'correct horse'), 200);
      assert.equal(await by('a password in the wrong field', 'x'), 401);
      const wrong = (user: string | undefined, more = '') => ({
        ...{ peer: '127.0.0.1', user, message: `a wrong password for the dashboard${more}` },
      });
      assert.deepEqual(lines, [
        ...Array(9).fill(wrong('ann')),
        wrong('ann', ', the last that is tried for a minute'),
        wrong(undefined),
      ]);
    });

    it('reads them from a file, with comments', async () => {
      const file = join(tmpdir(), `hopline-users-${randomUUID()}`);
      await writeFile(file, `# people of the office\n\nann:${kept}\n`);
      try {
        const one = dashboards.make({ auth: { users: file } });
        assert.equal(await statusOf(one, basic('ann', 'correct horse')), 200);
      } finally {
        await rm(file);
      }
    });

    it('names the lines that are none, and shows no part of them', () => {
      assert.throws(
        () => dashboards.make({ auth: { users: [`ann:${kept}`, 'bob:hunter2', `ann:${kept}`] } }),
        (error) => {
          assert.ok(error instanceof OptionsError);
          assert.match(error.message, /line 2 of auth\.users is not name:scrypt/);
          assert.match(error.message, /line 3 of auth\.users has a name again/);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
      );
    });

    it('answers under an address in digits, and under the names that it is given', async () => {
      const auth = { users: [`ann:${kept}`] };
      const headers = basic('ann', 'correct horse');
      const any = dashboards.make({ auth });
      assert.equal(await statusOf(any, headers, '10.0.0.7:7700'), 200);
      assert.equal(await statusOf(any, headers, 'ops.example.org'), 403);
      const named = dashboards.make({ auth, allowedHosts: ['Ops.Example.org'] });
      assert.equal(await statusOf(named, headers, 'ops.example.org:443'), 200);
      assert.equal(await statusOf(named, headers, '10.0.0.7:7700'), 403);
    });
  });

  describe('with a proxy', () => {
    const proxy = { header: 'x-forwarded-user', from: ['10.0.0.0/8', '::1'] };
    const from = (one: Dashboard, remoteAddress: string | undefined, headers: Record<string, string>) =>
      one.fetch(
        new Request('http://localhost/shop/', { headers }),
        remoteAddress === undefined ? undefined : { incoming: { socket: { remoteAddress } } },
      );

    it('believes its header, and nobody else who sends it', async () => {
      const one = dashboards.make({ auth: { proxy } });
      const headers = { 'x-forwarded-user': 'ann' };
      const page = await from(one, '10.1.2.3', headers);
      assert.equal(page.status, 200);
      assert.match(await page.text(), /Signed in as ann/);
      assert.equal((await from(one, '::1', headers)).status, 200);
      assert.equal((await from(one, '192.168.0.1', headers)).status, 403);
      assert.equal((await from(one, '10.1.2.3', {})).status, 403);
    });

    it('believes no header of a request whose origin is not known, unless it carries the secret of the proxy', async () => {
      const headers = { 'x-forwarded-user': 'ann' };
      assert.equal((await from(dashboards.make({ auth: { proxy } }), undefined, headers)).status, 403);
      const secret = { header: 'x-proxy-secret', value: 'sixteen letters!' };
      const one = dashboards.make({ auth: { proxy: { ...proxy, secret } } });
      assert.equal((await from(one, undefined, headers)).status, 403);
      const wrong = { ...headers, 'x-proxy-secret': 'sixteen letters?' };
      assert.equal((await from(one, undefined, wrong)).status, 403);
      const right = { ...headers, 'x-proxy-secret': 'sixteen letters!' };
      assert.equal((await from(one, undefined, right)).status, 200);
      assert.equal((await from(one, '192.168.0.1', right)).status, 403);
    });
  });

  describe('with a function', () => {
    it('hands on its redirect and its page as they are, with headers that keep others out', async () => {
      const page = '<!doctype html><style>p { color: red }</style><p>Log in</p>';
      const own = { 'content-type': 'text/html', 'content-security-policy': "default-src 'self'" };
      const answers: Record<string, () => Response> = {
        away: () => Response.redirect('https://login.example.org/', 302),
        page: () => new Response(page, { status: 401, headers: { 'content-type': 'text/html' } }),
        own: () => new Response(page, { headers: own }),
      };
      const authorize = (asked: Request) => answers[String(asked.headers.get('x-want'))]?.();
      const one = dashboards.make({ auth: { authorize }, log: silentLogger });
      const want = (name: string) => ask(one, '/shop/', { headers: { 'x-want': name } });
      const away = await want('away');
      assert.deepEqual([away.status, away.headers.get('location')], [302, 'https://login.example.org/']);
      const given = await want('page');
      assert.deepEqual([given.status, await given.text()], [401, page]);
      assert.equal(given.headers.get('content-security-policy'), "frame-ancestors 'none'");
      assert.equal(given.headers.get('cache-control'), 'no-store');
      assert.equal((await want('own')).headers.get('content-security-policy'), "default-src 'self'");
    });

    it('takes nothing but true for leave to act', async () => {
      const lines: string[] = [];
      const warn = (_fields: object, message: string) => void lines.push(message);
      const mayAct = 'no' as unknown as boolean;
      const one = dashboards.make({
        ...{ auth: { authorize: () => ({ name: 'ann', mayAct }) }, allowActions: true },
        log: { ...silentLogger, warn },
      });
      assert.doesNotMatch(await (await ask(one, '/shop/failures')).text(), /name="token"/);
      assert.match(String(lines), /mayAct with a string, not a boolean/);
    });

    it('lets in whom it names, answers what it answers, and refuses all others', async () => {
      const one = dashboards.make({
        auth: {
          authorize: (asked, context) => {
            const { cookie } = Object.fromEntries(asked.headers);
            if (cookie === 'late') return Response.redirect('https://login.example.org/', 302);
            if (cookie === 'broken') throw new Error('no session store');
            return cookie === undefined ? undefined : { name: String((context as { by: string }).by) };
          },
        },
        log: { debug() {}, info() {}, warn() {}, error() {} },
      });
      const by = (cookie?: string) =>
        one.fetch(
          new Request('http://localhost/shop/', cookie === undefined ? {} : { headers: { cookie } }),
          { by: 'the session' },
        );
      assert.match(await (await by('here')).text(), /Signed in as the session/);
      assert.equal((await by('late')).headers.get('location'), 'https://login.example.org/');
      assert.equal((await by('broken')).status, 403);
      assert.equal((await by()).status, 403);
    });
  });

  it('answers over a connection, too: a foreign Host is refused by the server', async () => {
    const url = new URL(await dashboards.make().listen({ port: 0 }));
    const status = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const asked = request({ ...address(url), path: '/shop/', headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        asked.on('error', reject).end();
      });
    assert.equal(await status('localhost'), 200);
    assert.equal(await status('evil.example'), 403);
  });
});

const address = ({ hostname, port }: URL) => ({ hostname, port });
