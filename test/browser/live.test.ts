import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import { shiftsOf, watchShifts } from './support/shifts.js';
import type { Visitor } from './support/visitor.js';

const UPDATES = 10;

describe('a page that is left open', function () {
  this.timeout(180_000);
  let scene: Scene;
  let visitor: Visitor;
  let page: Page;

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open();
    await scene.shop.fail('no mailbox', 5);
    await scene.shop.fail('quota', 2);
  });
  beforeEach(async () => {
    visitor = await scene.visitor();
    ({ page } = visitor);
  });
  afterEach(() => scene.visitorsLeave());
  after(() => scene.close());

  /** Counts the newer models that come from now on. */
  async function followed(path: string): Promise<() => Promise<number>> {
    await page.addInitScript(`
      globalThis.models = 0;
      const { addEventListener } = EventSource.prototype;
      EventSource.prototype.addEventListener = function (name, listener, ...rest) {
        const counted = name === 'model' ? (event) => { listener(event); globalThis.models += 1; } : listener;
        return addEventListener.call(this, name, counted, ...rest);
      };`);
    await visitor.go(path);
    return () => page.evaluate<number>('globalThis.models');
  }

  /**
   * The overview's list of what is wrong gets their line only when a look has found more than the one before: a line of a list
   * that has one more is where it should be. The page below the list has its place whatever is in it.
   */
  async function newDeadLettersAreTold(): Promise<void> {
    await scene.shop.fail('quota', 1);
    await page
      .getByText(/new dead letters of queue/)
      .first()
      .waitFor({ timeout: 60_000 });
  }

  for (const path of ['/', '/queues', '/handlers', '/failures', '/workers'])
    it(`moves nothing while its figures change: ${path}`, async () => {
      const models = await followed(path);
      await eventually(async () => assert.ok((await models()) >= 1), { timeout: 30_000 });
      if (path === '/') await newDeadLettersAreTold();
      await watchShifts(page);
      const traffic = setInterval(() => void scene.shop.deliver(20), 500);
      const failing =
        path === '/failures' && setInterval(() => void scene.shop.publishFailing('quota'), 1_000);
      try {
        const before = await models();
        await eventually(async () => assert.ok((await models()) >= before + UPDATES), {
          timeout: 90_000,
          interval: 200,
        });
      } finally {
        clearInterval(traffic);
        if (failing) clearInterval(failing);
      }
      assert.deepEqual(await shiftsOf(page), []);
    });

  it('shows what has happened since, without having been loaded again', async () => {
    await visitor.go('/failures');
    const main = page.locator('main');
    const letters = async () => Number(/(\d+)\sdead\sletters/.exec(await main.innerText())?.[1] ?? 0);
    await eventually(async () => assert.ok((await letters()) >= 7), { timeout: 30_000 });
    const before = await letters();
    await scene.shop.fail('quota', 3);
    await eventually(async () => assert.ok((await letters()) >= before + 3), { timeout: 30_000 });
  });

  it('keeps the focus where it is, and what is typed', async () => {
    const models = await followed('/queues');
    const field = page.locator('#page [data-search]').first();
    await field.fill('mai');
    const before = await models();
    const traffic = setInterval(() => void scene.shop.deliver(20), 500);
    try {
      await eventually(async () => assert.ok((await models()) >= before + 3), { timeout: 60_000 });
    } finally {
      clearInterval(traffic);
    }
    assert.equal(await field.inputValue(), 'mai');
    assert.equal(await page.evaluate('document.activeElement.matches("[data-search]")'), true);
    await page.keyboard.type('l');
    assert.equal(await field.inputValue(), 'mail');
  });
});
