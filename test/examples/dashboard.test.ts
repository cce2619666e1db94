import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { Program } from './program.js';

/** A page below the path that the dashboard is mounted at. */
const QUEUE_PAGE = '/ops/shop/queues/orders';

describe('the examples of dashboards', function () {
  this.timeout(60_000);
  let program: Program | undefined;

  afterEach(async () => {
    program?.signal('SIGKILL');
    await program?.ended;
    program = undefined;
  });

  for (const name of ['node-http', 'express', 'fastify', 'hono', 'nest'])
    it(`with ${name} have pages, files, events and actions below a path of the application, and end with it`, async () => {
      const server = new Program(`dashboard/${name}.js`, { env: { PORT: '0' } });
      program = server;
      const port = await eventually(() => /^listening on (\d+)$/m.exec(server.stdout)?.[1] ?? false);
      const url = `http://127.0.0.1:${port}`;
      assert.equal(await (await fetch(url)).text(), 'the shop\n');

      const first = await fetch(`${url}/ops`, { redirect: 'manual' });
      assert.equal(first.headers.get('location'), '/ops/shop/');
      const page = await (await fetch(`${url}${QUEUE_PAGE}`)).text();
      const files = [...page.matchAll(/(?:src|href)="(\/ops\/assets\/[^"]+)"/g)].map(([, file = '']) => file);
      assert.equal(files.length, 2);
      for (const file of files) assert.equal((await fetch(`${url}${file}`)).status, 200);

      const ending = new AbortController();
      const events = await fetch(`${url}/ops/shop/live?page=/queues/orders`, { signal: ending.signal });
      assert.equal(events.headers.get('content-type'), 'text/event-stream; charset=utf-8');
      const reader = events.body?.getReader();
      const chunk = await reader?.read();
      assert.match(Buffer.from(chunk?.value ?? []).toString(), /^event: hello\n/);

      const token = /name="token" value="([^"]+)"/.exec(page)?.[1] ?? '';
      const act = (fields: Record<string, string>) =>
        fetch(`${url}${QUEUE_PAGE}/pause`, {
          ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) },
          headers: { 'sec-fetch-site': 'same-origin' },
        });
      assert.equal((await act({ token: 'forged' })).status, 403);
      const done = await act({ token });
      assert.equal(done.status, 303);
      const location = String(done.headers.get('location'));
      assert.match(await (await fetch(`${url}${location}`)).text(), /is paused, also for processes/);

      // With a page that is still followed.
      server.signal('SIGTERM');
      assert.equal(await server.ended, 0, server.output);
      ending.abort();
      await reader?.cancel().catch(() => {});
    });
});

describe('the webhook relay with a dashboard', function () {
  this.timeout(90_000);

  it('is seen live until a signal, and then accounts for what there was', async () => {
    const relay = new Program('webhook-relay/main.js', {
      args: ['--dashboard'],
      env: { DASHBOARD_PORT: '0' },
    });
    try {
      const url = await eventually(
        () => /dashboard at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(relay.stderr)?.[1] ?? false,
      );
      const page = async (path: string) => await (await fetch(`${url}webhook-relay${path}`)).text();
      await eventually(
        async () => {
          assert.match(await page('/queues'), /relay\.delivery\.flaky/);
          assert.match(await page('/failures'), /relay\.delivery\.refusing/);
        },
        { timeout: 30_000, interval: 200 },
      );
      relay.signal('SIGINT');
      assert.equal(await relay.ended, 0, relay.output);
      assert.match(relay.stdout, /the account balances$/m);
    } finally {
      relay.signal('SIGKILL');
      await relay.ended;
    }
  });
});
