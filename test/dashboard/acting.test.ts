import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type Dashboard, type DashboardOptions, dashboard } from '../../src/dashboard/index.js';
import { Bus, memory } from '../../src/index.js';
import { type Logger, silentLogger } from '../../src/util/logger.js';
import { ask, Dashboards } from './dashboards.js';

const QUEUE = 'orders';
const PAUSE = `/shop/queues/${QUEUE}/pause`;
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

describe('an action of a dashboard', () => {
  const dashboards = new Dashboards();
  const transport = memory();
  let bus: Bus;
  /** Of all tests that need no other: its first look at the application takes a second. */
  let one: Dashboard;
  /** Lines of the log of actions. */
  let audit: Record<string, unknown>[];

  before(async () => {
    bus = new Bus({ service: 'shop', transport, log: silentLogger });
    await bus.handle('order.placed', () => {}, { queue: QUEUE, name: 'Ship' }).start();
    one = dashboard({ transport, name: 'Shop', allowActions: true, log });
  });
  after(async () => {
    await one.close();
    await bus.stop();
  });
  beforeEach(() => {
    audit = [];
  });

  const line = (fields: object) => void audit.push(fields as Record<string, unknown>);
  const log: Logger = { ...silentLogger, info: line, warn: line };
  const make = (options: Partial<DashboardOptions> = {}) =>
    dashboards.make({ transport, allowActions: true, log, ...options });

  async function tokenOf(one: Dashboard, headers: Record<string, string> = {}): Promise<string> {
    const text = await (await ask(one, `/shop/queues/${QUEUE}`, { headers })).text();
    return /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  interface Sent {
    readonly path?: string;
    readonly fields?: Record<string, string>;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  }
  const send = (one: Dashboard, { path = PAUSE, fields = {}, headers = OWN_PAGE, body }: Sent) =>
    ask(one, path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: body ?? new URLSearchParams(fields).toString(),
    });

  it('is done for a form of a page, tells what it has done on the page that follows, and is a line of the log', async () => {
    const done = await send(one, { fields: { token: await tokenOf(one) } });
    assert.equal(done.status, 303);
    const location = String(done.headers.get('location'));
    assert.match(location, /^\/shop\/queues\/orders\?said=[\w-]{12}$/);
    assert.match(
      await (await ask(one, location)).text(),
      /role="status">&#39;orders&#39; is paused|role="status">'orders' is paused/,
    );
    assert.deepEqual(
      audit.map(({ user, action, outcome, application }) => ({ user, action, outcome, application })),
      [{ user: 'local', action: `/queues/${QUEUE}/pause`, outcome: 'done', application: 'shop' }],
    );
    const resumed = await send(one, {
      path: `/shop/queues/${QUEUE}/resume`,
      fields: { token: await tokenOf(one) },
    });
    assert.equal(resumed.status, 303);
  });

  it('is refused where the dashboard is for reading, which draws no form either', async () => {
    const reading = make({ allowActions: false });
    assert.equal(await tokenOf(reading), '');
    const token = await tokenOf(one);
    const refused = await send(reading, { fields: { token } });
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /for reading only.*allowActions/s);
    assert.deepEqual(
      audit.map(({ outcome }) => outcome),
      ['refused'],
    );
  });

  it('is refused to who may only look', async () => {
    const authorize = (asked: Request) => ({
      name: String(asked.headers.get('x-name')),
      mayAct: asked.headers.get('x-name') === 'ann',
    });
    const one = make({ auth: { authorize } });
    assert.equal(await tokenOf(one, { 'x-name': 'bob' }), '');
    const token = await tokenOf(one, { 'x-name': 'ann' });
    const by = (name: string) => send(one, { fields: { token }, headers: { ...OWN_PAGE, 'x-name': name } });
    assert.equal((await by('bob')).status, 403);
    assert.equal((await by('ann')).status, 303);
    assert.deepEqual(
      audit.map(({ user, outcome }) => `${user} ${outcome}`),
      ['bob refused', 'ann done'],
    );
    const resume = `/shop/queues/${QUEUE}/resume`;
    await send(one, { path: resume, fields: { token }, headers: { ...OWN_PAGE, 'x-name': 'ann' } });
  });

  it('is refused to forms of other sites, and to what is no browser, even with the token', async () => {
    const fields = { token: await tokenOf(one) };
    const from = async (headers: Record<string, string>) => (await send(one, { fields, headers })).status;
    for (const site of ['cross-site', 'same-site', 'none'])
      assert.equal(await from({ 'sec-fetch-site': site }), 403, site);
    assert.equal(await from({}), 403);
    for (const origin of ['http://localhost:9999', 'http://127.0.0.1:7700', 'https://localhost'])
      assert.equal(await from({ origin }), 403, origin);
    for (const origin of ['null', 'https://evil.example', 'http://localhost.evil.example', 'not an origin'])
      assert.equal(await from({ origin }), 403, origin);
    // By http a browser says no more than this.
    assert.equal(await from({ origin: 'http://localhost:7700' }), 303);
    // What a browser says of the site counts more than an origin.
    assert.equal(await from({ origin: 'http://localhost:7700', 'sec-fetch-site': 'cross-site' }), 403);
    await send(one, { path: `/shop/queues/${QUEUE}/resume`, fields });
  });

  it('is refused with no token, a forged one, one of another user, of another application, or of an earlier start', async () => {
    const auth = { authorize: (asked: Request) => ({ name: String(asked.headers.get('x-name')) }) };
    const applications = [
      { transport, name: 'Shop' },
      { transport, name: 'Other' },
    ];
    const several = { transport: undefined, name: undefined, applications } as never;
    const one = dashboards.make({ auth, allowActions: true, log, ...(several as object) });
    const ann = { ...OWN_PAGE, 'x-name': 'ann' };
    const own = await tokenOf(one, { 'x-name': 'ann' });
    const other = /name="token" value="([^"]+)"/.exec(
      await (await ask(one, `/other/queues/${QUEUE}`, { headers: { 'x-name': 'ann' } })).text(),
    )?.[1];
    const forged = [
      ...['', 'x', own.slice(0, -1), `${own}A`, Buffer.alloc(32).toString('base64url')],
      ...[await tokenOf(one, { 'x-name': 'bob' }), String(other)],
      await tokenOf(make({ auth }), { 'x-name': 'ann' }),
    ];
    for (const token of forged) {
      const refused = await send(one, { fields: { token }, headers: ann });
      assert.equal(refused.status, 403, token);
      assert.match(await refused.text(), /older than the dashboard.*load the page again/s);
    }
    assert.equal((await send(one, { headers: ann })).status, 403);
    assert.deepEqual([...new Set(audit.map(({ outcome }) => outcome))], ['refused']);
  });

  it('is asked for by a form alone, of a million bytes at most, whatever it says of its length', async () => {
    const token = await tokenOf(one);
    const json = { ...OWN_PAGE, 'content-type': 'application/json' };
    assert.equal((await send(one, { headers: json, body: JSON.stringify({ token }) })).status, 415);
    const large = `token=${token}&x=${'x'.repeat(1_000_000)}`;
    assert.equal((await send(one, { body: large })).status, 413);
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.alloc(100_000, 'x')),
    });
    const endless = await ask(one, PAUSE, {
      ...{ method: 'POST', body: stream, duplex: 'half' },
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...OWN_PAGE },
    } as RequestInit);
    assert.equal(endless.status, 413);
    assert.deepEqual(
      audit.map(({ outcome }) => outcome),
      ['refused', 'refused', 'refused'],
    );
  });

  it('is refused, and no fault of the dashboard, when its form breaks off', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from('token=')),
      pull: (controller) => controller.error(new Error('aborted')),
    });
    const init = { method: 'POST', body, duplex: 'half' };
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...OWN_PAGE };
    assert.equal((await ask(one, PAUSE, { ...init, headers } as RequestInit)).status, 400);
    assert.deepEqual(
      audit.map(({ outcome, why }) => [outcome, why]),
      [['refused', 'The form broke off before its end.']],
    );
  });

  it('is a line on standard error where no logger was given', async () => {
    const one = dashboards.make({ transport, allowActions: true });
    const fields = { token: await tokenOf(one) };
    const lines: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = ((text: string) => lines.push(text) > 0) as typeof write;
    try {
      assert.equal((await send(one, { fields })).status, 303);
    } finally {
      process.stderr.write = write;
    }
    assert.match(lines.join(''), /an action of the dashboard .*"outcome":"done"/);
    await send(one, { path: `/shop/queues/${QUEUE}/resume`, fields });
  });

  it('is not done by a link, nor where there is none', async () => {
    assert.equal((await ask(one, PAUSE)).status, 404);
    assert.equal((await send(one, { path: `/shop/queues/${QUEUE}/explode` })).status, 404);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      assert.equal((await ask(one, PAUSE, { method })).status, 404, method);
  });

  it('that fails says why and what to do, and is a line of the log', async () => {
    const fields = { token: await tokenOf(one), concurrency: 'many' };
    const refused = await send(one, { path: `/shop/queues/${QUEUE}/scale`, fields });
    assert.equal(refused.status, 409);
    assert.match(await refused.text(), /expected the number of messages at once to be a positive integer/);
    const [{ outcome, why } = {}] = audit;
    assert.equal(outcome, 'failed');
    assert.match(String(why), /got 'many'/);
  });
});

describe('the answers of a dashboard', () => {
  const dashboards = new Dashboards();

  it('allow nothing but their own script and style, each by a word of its own, and no page to frame them', async () => {
    const one = dashboards.make();
    const words = new Set<string>();
    for (const path of ['/', '/shop/', '/shop/nothing', '/assets/nothing', '/shop/live?page=/']) {
      const { headers, body } = await ask(one, path);
      const policy = String(headers.get('content-security-policy'));
      assert.match(policy, /^default-src 'none'; script-src 'nonce-[^' ]+'; style-src 'nonce-[^' ]+';/, path);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.match(policy, /base-uri 'none'/);
      assert.match(policy, /form-action 'self'/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'same-origin');
      assert.equal(headers.get('cache-control'), 'no-store');
      words.add(/nonce-([^']+)/.exec(policy)?.[1] ?? '');
      await body?.cancel();
    }
    assert.equal(words.size, 5);
    const page = await ask(one, '/shop/');
    const nonce = /nonce-([^']+)/.exec(String(page.headers.get('content-security-policy')))?.[1] ?? '';
    const text = await page.text();
    const scripts = [...text.matchAll(/<(?:script|link)[^>]*>/g)].map(([tag]) => tag);
    const runs = scripts.filter((tag) => / src=|rel="stylesheet"/.test(tag));
    assert.equal(runs.length, 2);
    for (const tag of runs) assert.ok(tag.includes(`nonce="${nonce}"`), tag);
    assert.doesNotMatch(text, /\son\w+=|javascript:|style="/i);
    assert.doesNotMatch(text, /(?:src|href|action)="(?:https?:)?\/\//);
  });

  it('hold no file but those for browsers, whatever the path', async () => {
    const one = dashboards.make();
    const paths = [
      ...['/assets/', '/assets/../package.json', '/assets/%2e%2e/package.json', '/../../etc/passwd'],
      ...['/assets/..%2f..%2fpackage.json', '/assets/%2fetc%2fpasswd', '/assets//etc/passwd'],
      ...[
        '/assets/..\\..\\package.json',
        '/assets/%00',
        '/assets/%',
        '/assets/__proto__',
        '/assets/constructor',
      ],
      ...['/assets/client.js', '/assets/client-files.js', '/shop/%', '/shop/queues/%E0%A4%A'],
    ];
    for (const path of paths) assert.equal((await ask(one, path)).status, 404, path);
    // As no browser sends it: with its dots.
    const { hostname, port } = new URL(await one.listen({ port: 0 }));
    for (const path of paths) {
      const sent = request({ hostname, port, path }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      assert.ok([400, 404].includes(answer.statusCode ?? 0), `${path}: ${answer.statusCode}`);
    }
  });

  it('say nothing of what another address than a known one wants said', async () => {
    const one = dashboards.make();
    const text = await (await ask(one, '/shop/?said=you%20are%20hacked')).text();
    assert.doesNotMatch(text.replace(/<script type="application\/json".*/s, ''), /hacked/);
  });
});
