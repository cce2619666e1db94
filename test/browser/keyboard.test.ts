import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import type { Visitor } from './support/visitor.js';

/** Tabs until there is nothing on a page that they could not have reached. */
const MOST_TABS = 200;

describe('the keyboard alone', function () {
  this.timeout(120_000);
  let scene: Scene;
  let visitor: Visitor;
  let page: Page;

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open();
  });
  beforeEach(async () => {
    visitor = await scene.visitor();
    ({ page } = visitor);
  });
  afterEach(() => scene.visitorsLeave());
  after(() => scene.close());

  const focused = (): Promise<string> =>
    page.evaluate<string>(
      '(document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim()',
    );

  async function tabTo(name: RegExp): Promise<void> {
    for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
      if (name.test(await focused())) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`no Tab leads to ${name}`);
  }

  it('finds a failure, reads it, and retries it', async () => {
    const { shop } = scene;
    const [id = ''] = await shop.fail('no mailbox', 1);
    shop.mended.add('no mailbox');
    await eventually(
      async () => {
        await visitor.go('/');
        await page.keyboard.press('g');
        await page.keyboard.press('f');
        await page.waitForURL(/\/failures$/);
        await page.keyboard.press('j');
        assert.match(await focused(), /no mailbox/);
      },
      { timeout: 30_000, interval: 500 },
    );
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/failures\/[0-9a-f]+/);
    await page.keyboard.press('j');
    assert.equal(await focused(), id);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/messages\//);
    await tabTo(/^Retry/);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/operations\//);
    await eventually(() => assert.deepEqual(shop.handled, [id]), { timeout: 30_000 });
  });

  it('goes to the search with a slash, and types nothing else there', async () => {
    await visitor.go('/');
    await page.keyboard.press('/');
    await page.keyboard.type('gjf/?');
    assert.equal(await page.getByRole('searchbox').first().inputValue(), 'gjf/?');
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    assert.deepEqual(await visitor.accessibility(), []);
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('dialog').count(), 0);
  });

  it('has its way past the navigation', async () => {
    await visitor.go('/queues');
    await page.keyboard.press('Tab');
    assert.match(await focused(), /Skip to the page/);
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
  });

  it('leaves a dialog without having done anything', async () => {
    const { shop } = scene;
    await shop.fail('quota', 2);
    await eventually(
      async () => {
        await visitor.go('/failures');
        await page.getByRole('link', { name: /quota/ }).first().click({ timeout: 1_000 });
      },
      { timeout: 30_000, interval: 500 },
    );
    await tabTo(/^Forget all/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    // What takes a step back is the one that Enter presses.
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.match(await focused(), /Forget all/);
    assert.equal(await shop.length(`${shop.mail}.dead`), 2);
  });
});
