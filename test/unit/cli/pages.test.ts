import assert from 'node:assert/strict';
import { type Page, PageServers } from '../../../src/cli/work/pages.js';
import { jsonAnswer } from '../../../src/worker/page-server.js';

describe('the pages of hopline work', () => {
  const address = { host: '127.0.0.1', port: 0 };
  const urls: string[] = [];
  let servers: PageServers;
  afterEach(() => {
    servers.close();
    urls.length = 0;
  });

  const page = (path: string, endsEarly: boolean): Page => ({
    flag: '--port',
    path,
    about: 'told at',
    endsEarly,
    answer: () => jsonAnswer(200, {}),
  });

  async function open(...pages: readonly [Page, typeof address][]): Promise<void> {
    const logger = { info: ({ url }: { readonly url: string }) => urls.push(url) };
    servers = await PageServers.open(pages, { logger } as never);
  }

  const statuses = () => Promise.all(urls.map(async (url) => (await fetch(url)).status));

  it('that end early answer 503 during a stop where another page has their address', async () => {
    await open([page('/early', true), address], [page('/late', false), address]);
    assert.deepEqual(await statuses(), [200, 200]);
    servers.stopping();
    assert.deepEqual(await statuses(), [503, 200]);
    servers.close();
    await assert.rejects(statuses());
  });

  it('that end early are gone during a stop where they have an address of their own', async () => {
    await open([page('/early', true), address], [page('/late', false), { ...address, host: '127.0.0.2' }]);
    assert.deepEqual(await statuses(), [200, 200]);
    servers.stopping();
    const [early = '', late = ''] = urls;
    await assert.rejects(fetch(early));
    assert.equal((await fetch(late)).status, 200);
  });
});
