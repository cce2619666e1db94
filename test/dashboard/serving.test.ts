import assert from 'node:assert/strict';
import { ask, Dashboards, FROM_HERE } from './dashboards.js';

describe('a dashboard', () => {
  const dashboards = new Dashboards();

  it('leads from its first address to the overview of the first application', async () => {
    const one = dashboards.make();
    const answer = await ask(one, '/');
    assert.equal(answer.status, 302);
    assert.equal(answer.headers.get('location'), '/shop/');
    const page = await ask(one, '/shop/');
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<!doctype html><html lang="en">.*Overview/s);
  });

  it('is the same below another path, whether the framework leaves it in the address or takes it away', async () => {
    const one = dashboards.make({ path: '/ops/' });
    for (const path of ['/ops/shop/', '/shop/']) assert.equal((await ask(one, path)).status, 200, path);
    assert.equal((await ask(one, '/ops')).headers.get('location'), '/ops/shop/');
    const text = await (await ask(one, '/ops/shop/')).text();
    assert.match(text, /src="\/ops\/assets\/client-\w+\.js"/);
    assert.match(text, /"base":"\/ops\/shop"/);
  });

  it('is the same where a router has taken its path in another case for its own', async () => {
    const one = dashboards.make({ path: '/ops' });
    const at = (baseUrl: string) =>
      one.fetch(new Request('http://localhost/shop/'), { ...FROM_HERE, mountedAt: baseUrl });
    assert.equal((await at('/OPS')).status, 200);
    assert.equal((await at('/elsewhere')).status, 500);
  });

  it('has script and style in two files of its own, compressed for whoever takes that, and at most 70 kB together', async () => {
    const one = dashboards.make();
    const text = await (await ask(one, '/shop/')).text();
    const links = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, link = '']) => link);
    assert.equal(links.length, 2);
    let bytes = 0;
    for (const link of links) {
      const small = await ask(one, link, { headers: { 'accept-encoding': 'gzip, br' } });
      assert.equal(small.headers.get('content-encoding'), 'gzip');
      assert.equal(small.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      bytes += (await small.arrayBuffer()).byteLength;
      const plain = await ask(one, link, { headers: { 'accept-encoding': 'gzip;q=0' } });
      assert.equal(plain.headers.get('content-encoding'), null);
      assert.match(String(plain.headers.get('content-type')), link.endsWith('.js') ? /javascript/ : /css/);
    }
    assert.ok(bytes <= 70_000, `${bytes} bytes`);
  });

  it('works when its functions are taken off it', async () => {
    const { fetch, listen } = dashboards.make();
    const url = await listen({ port: 0 });
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal((await globalThis.fetch(`${url}shop/`)).status, 200);
    assert.equal((await fetch(new Request('http://127.0.0.1/shop/'), FROM_HERE)).status, 200);
  });

  it("leaves the process's Request and Response as they are", () => {
    const own = [globalThis.Request, globalThis.Response];
    dashboards.make();
    assert.deepEqual([globalThis.Request, globalThis.Response], own);
  });

  it('says that there is nothing at an address, and leads back', async () => {
    const answer = await ask(dashboards.make(), '/shop/nothing');
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /There is no page at this address.*href="\/"/s);
  });
});
