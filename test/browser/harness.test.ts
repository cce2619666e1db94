import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually.js';
import { CHROMIUM_TIMEOUT_MS, closeBrowser } from './support/chromium.js';
import { shiftsOf, watchShifts } from './support/shifts.js';
import { Visitor } from './support/visitor.js';

const POLICY = "default-src 'none'; script-src 'self'; img-src * data:";

const PAGES: Readonly<Record<string, string>> = {
  '/clean': '<main><h1>Clean</h1><p>All is well.</p></main>',
  '/unnamed': '<main><h1>Unnamed</h1><form><input type="text"></form></main>',
  '/inline': '<main><h1>Inline</h1><img alt="" src="data:," onerror="globalThis.wasHere = true"></main>',
  '/elsewhere': '<main><h1>Elsewhere</h1><img alt="" src="http://127.0.0.1:9/picture.png"></main>',
  '/wide': '<main><h1>Wide</h1><svg width="2000" height="10" aria-hidden="true"></svg></main>',
};

describe('what the browser tests hold pages to', function () {
  this.timeout(60_000);
  let server: Server;
  let address: string;
  let visitor: Visitor;

  before(async () => {
    server = createServer(({ url = '' }, response) => {
      const headers = { 'content-type': 'text/html', 'content-security-policy': POLICY };
      const body = `<!doctype html><html lang="en"><head><title>${url}</title><link rel="icon" href="data:,"></head><body>${PAGES[url]}</body></html>`;
      response.writeHead(200, headers).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(async function () {
    this.timeout(CHROMIUM_TIMEOUT_MS);
    visitor = await Visitor.come({ address });
  });
  after(async () => {
    await closeBrowser();
    server.close();
  });

  it('lets a clean page pass', async () => {
    assert.equal(await visitor.go('/clean'), 200);
    assert.deepEqual(await visitor.accessibility(), []);
    assert.equal(await visitor.overflow(), 0);
    await visitor.leave();
  });

  it('sees a field that a screen reader has no name for, though the policy allows no script of others', async () => {
    await visitor.go('/unnamed');
    const problems = await visitor.accessibility();
    assert.match(problems.join('\n'), /^label: /m);
    await visitor.leave();
  });

  it('sees a script that the policy has refused', async () => {
    await visitor.go('/inline');
    await assert.rejects(visitor.leave(), /Content Security Policy/);
  });

  it('sees a request to another origin', async () => {
    await visitor.go('/elsewhere');
    await assert.rejects(visitor.leave(), /another origin: http:\/\/127\.0\.0\.1:9\/picture\.png/);
  });

  it('sees a page that is wider than its window', async () => {
    await visitor.go('/wide');
    assert.ok((await visitor.overflow()) > 700);
    await visitor.leave();
  });

  it('sees what moves while nobody touches it', async () => {
    await visitor.go('/clean');
    await watchShifts(visitor.page);
    await visitor.page.evaluate(
      `document.querySelector('h1').before(Object.assign(document.createElement('p'), { textContent: 'new' }))`,
    );
    const shifts = await eventually(async () => {
      const found = await shiftsOf(visitor.page);
      assert.ok(found.length > 0);
      return found;
    });
    assert.match(shifts.join('\n'), /<h1>Clean<\/h1>/);
    await visitor.leave();
  });
});
