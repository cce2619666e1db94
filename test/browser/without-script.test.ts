import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import type { Visitor } from './support/visitor.js';

describe('a browser that runs no script', function () {
  this.timeout(120_000);
  let scene: Scene;
  let reader: Visitor;

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open();
  });
  beforeEach(async () => {
    reader = await scene.visitor({ script: false });
  });
  afterEach(() => scene.visitorsLeave());
  after(() => scene.close());

  it('finds a message by its id, and retries it', async () => {
    const { shop } = scene;
    const [id = ''] = await shop.fail('no mailbox', 1);
    shop.mended.add('no mailbox');
    const { page } = reader;
    await eventually(
      async () => {
        await reader.go('/');
        await page.getByRole('searchbox').first().fill(id);
        await page.getByRole('searchbox').first().press('Enter');
        await page.waitForURL(/\/search\?q=/);
        assert.ok(await page.getByRole('main').getByRole('link', { name: id }).first().isVisible());
      },
      { timeout: 30_000, interval: 500 },
    );
    await page.getByRole('main').getByRole('link', { name: id }).first().click();
    await page
      .getByRole('button', { name: /^Retry/ })
      .first()
      .click();
    await eventually(() => assert.deepEqual(shop.handled, [id]), { timeout: 30_000 });
  });

  it('has to tick a box before it does what can not be taken back', async () => {
    const { shop } = scene;
    await shop.fail('quota', 2);
    const { page } = reader;
    const forget = page.getByRole('button', { name: 'Forget all' });
    await eventually(
      async () => {
        await reader.go('/failures');
        await page.getByRole('link', { name: /quota/ }).first().click({ timeout: 1_000 });
        // As long as an operation holds the queue, such as the retry of the test before, it stands in place of the buttons.
        await forget.waitFor({ timeout: 2_000 });
      },
      { timeout: 30_000, interval: 500 },
    );
    await forget.click();
    assert.match(page.url(), /\/failures\//);
    assert.equal(await shop.length(`${shop.mail}.dead`), 2);
    await page.getByRole('checkbox', { name: /moved to the trash/ }).check();
    await forget.click();
    await page.waitForURL(/\/operations\//);
    await eventually(async () => assert.equal(await shop.length(`${shop.mail}.dead`), 0), {
      timeout: 30_000,
    });
  });

  it('pauses and resumes a queue', async () => {
    const { shop } = scene;
    await reader.go(`/queues/${encodeURIComponent(shop.mail)}`);
    const { page } = reader;
    const button = page.getByRole('button', { name: `Pause ${shop.mail}` });
    await page.locator('form').filter({ has: button }).getByRole('checkbox').check();
    await button.click();
    await page.getByRole('button', { name: `Resume ${shop.mail}` }).click();
    await page.locator('.said:not([hidden])').waitFor();
  });
});
