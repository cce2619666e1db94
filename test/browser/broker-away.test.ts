import assert from 'node:assert/strict';
import { type ManagedNode, ownManagedNode } from '../cli/managed-node.js';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';

describe('a dashboard whose broker is away', function () {
  this.timeout(180_000);
  let broker: ManagedNode;
  let scene: Scene;

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    broker = await ownManagedNode();
    scene = await Scene.open({ broker });
    await scene.shop.fail('quota', 2);
  });
  afterEach(() => scene.visitorsLeave());
  after(async () => {
    await scene.close();
    await broker.node.stop();
  });

  it('says so on the page that is open, and is live again when it is back', async () => {
    const visitor = await scene.visitor();
    const { page } = visitor;
    await visitor.go('/queues');
    const state = page.locator('#live-state');
    await eventually(async () => assert.equal(await state.innerText(), 'live'), { timeout: 30_000 });
    await broker.node.kill();
    await eventually(async () => assert.match(await state.innerText(), /not reached|not live/), {
      timeout: 60_000,
    });
    const other = await scene.visitor();
    assert.equal(await other.go('/'), 200);
    assert.match(await other.page.locator('body').innerText(), /not reached/i);
    await broker.node.restart();
    await eventually(async () => assert.equal(await state.innerText(), 'live'), { timeout: 90_000 });
    await visitor.go('/failures');
    await eventually(
      async () => {
        await page.reload();
        assert.match(await page.locator('main').innerText(), /quota/);
      },
      { timeout: 60_000, interval: 1_000 },
    );
  });
});
