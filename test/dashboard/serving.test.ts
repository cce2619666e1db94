import assert from 'node:assert/strict';
import { type Dashboard, type DashboardOptions, dashboard } from '../../src/dashboard/index.js';
import { memory } from '../../src/transport/memory/index.js';

describe('a dashboard', () => {
  const opened: Dashboard[] = [];
  const made = (options: Partial<DashboardOptions> = {}) => {
    const one = dashboard({ transport: memory(), name: 'Shop', ...options });
    opened.push(one);
    return one;
  };
  const get = (one: Dashboard, path: string, init: RequestInit = {}) =>
    one.fetch(new Request(`http://localhost:7700${path}`, init));
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  it('leads from its first address to the overview of the first application', async () => {
    const one = made();
    const answer = await get(one, '/');
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.get('location'), '/shop/');
    const page = await get(one, '/shop/');
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<!doctype html><html lang="en">.*Overview/s);
  });

  it('is the same below another path, whether the framework leaves it in the address or takes it away', async () => {
    const one = made({ path: '/ops/' });
    for (const path of ['/ops/shop/', '/shop/']) assert.equal((await get(one, path)).status, 200, path);
    assert.equal((await get(one, '/ops')).headers.get('location'), '/ops/shop/');
    const text = await (await get(one, '/ops/shop/')).text();
    assert.match(text, /src="\/ops\/assets\/client-\w+\.js"/);
    assert.match(text, /"base":"\/ops\/shop"/);
  });

  it('has script and style in two files of its own, compressed for whoever takes that, and at most 60 kB together', async () => {
    const one = made();
    const text = await (await get(one, '/shop/')).text();
    const links = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, link = '']) => link);
    assert.equal(links.length, 2);
    let bytes = 0;
    for (const link of links) {
      const small = await get(one, link, { headers: { 'accept-encoding': 'gzip, br' } });
      assert.equal(small.headers.get('content-encoding'), 'gzip');
      assert.equal(small.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      bytes += (await small.arrayBuffer()).byteLength;
      const plain = await get(one, link, { headers: { 'accept-encoding': 'gzip;q=0' } });
      assert.equal(plain.headers.get('content-encoding'), null);
      assert.match(String(plain.headers.get('content-type')), link.endsWith('.js') ? /javascript/ : /css/);
    }
    assert.ok(bytes <= 60_000, `${bytes} bytes`);
  });

  it('works when its functions are taken off it', async () => {
    const { fetch, listen } = made();
    const url = await listen({ port: 0 });
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal((await globalThis.fetch(`${url}shop/`)).status, 200);
    assert.equal((await fetch(new Request('http://127.0.0.1/shop/'))).status, 200);
  });

  it("leaves the process's Request and Response as they are", () => {
    const own = [globalThis.Request, globalThis.Response];
    made();
    assert.deepEqual([globalThis.Request, globalThis.Response], own);
  });

  it('says that there is nothing at an address, and leads back', async () => {
    const answer = await get(made(), '/shop/nothing');
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /There is no page at this address.*href="\/"/s);
  });
});
