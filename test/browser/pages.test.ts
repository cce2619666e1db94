import assert from 'node:assert/strict';
import { PAGES } from '../../src/dashboard/pages/pages.js';
import { eventually } from '../support/eventually.js';
import { everyPage, type PageAddress } from './support/every-page.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import { openGroup, press } from './support/steps.js';
import { PHONE, THEMES } from './support/visitor.js';

describe('every page of the dashboard', function () {
  this.timeout(120_000);
  let scene: Scene;
  let pages: readonly PageAddress[];

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open();
    const { shop } = scene;
    await shop.deliver(40);
    await shop.fail('no mailbox', 12);
    await shop.fail('quota', 3);
    await shop.failBill({ to: 'ada@example.org', cents: 'twelve' });
    await shop.chain();
    await shop.batch(5);
    await shop.job('order:7');
    await shop.report();
    const operator = await scene.visitor();
    await openGroup(operator, /no mailbox/, 12);
    await press(operator, 'Retry as a canary');
    const reader = await scene.visitor({ script: false });
    const read = async (address: string) => {
      const response = await reader.page.request.get(address);
      assert.equal(response.status(), 200, address);
      return response.text();
    };
    pages = await eventually(() => everyPage(reader.address, read), { timeout: 60_000, interval: 1_000 });
    await scene.visitorsLeave();
  });
  afterEach(() => scene.visitorsLeave());
  after(() => scene.close());

  const pathOf = (name: string): string => pages.find((page) => page.name === name)?.path as string;

  for (const { name } of PAGES) {
    for (const theme of THEMES)
      it(`has nothing that a screen reader stumbles over, and complains of nothing: ${name}, ${theme}`, async () => {
        const visitor = await scene.visitor({ theme });
        assert.equal(await visitor.go(pathOf(name)), 200);
        assert.equal(await visitor.page.locator('h1').count(), 1);
        assert.deepEqual(await visitor.accessibility(), []);
        assert.equal(await visitor.overflow(), 0);
      });

    it(`fits a phone: ${name}`, async () => {
      const visitor = await scene.visitor({ size: PHONE });
      await visitor.go(pathOf(name));
      assert.equal(await visitor.overflow(), 0);
      assert.deepEqual(await visitor.accessibility(), []);
    });

    it(`says the same without script: ${name}`, async () => {
      const [plain, scripted] = [await scene.visitor({ script: false }), await scene.visitor()];
      await plain.go(pathOf(name));
      await scripted.go(pathOf(name));
      const [heading, its] = await Promise.all(
        [plain, scripted].map(({ page }) => page.locator('h1').innerText()),
      );
      assert.ok(heading);
      assert.equal(heading, its);
      assert.ok((await plain.page.locator('main').innerText()).length > heading.length);
    });
  }
});
