import assert from 'node:assert/strict';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import { press } from './support/steps.js';
import type { Visitor } from './support/visitor.js';

describe('an operator in front of queues and handlers', function () {
  this.timeout(120_000);
  let scene: Scene;
  let operator: Visitor;

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open();
  });
  beforeEach(async () => {
    operator = await scene.visitor();
  });
  afterEach(() => scene.visitorsLeave());
  after(() => scene.close());

  it('pauses a queue, which then keeps its messages, and lets it go on', async () => {
    const { shop } = scene;
    await operator.go(`/queues/${encodeURIComponent(shop.mail)}`);
    await press(operator, `Pause ${shop.mail}`);
    await shop.deliver(3);
    await eventually(async () => assert.equal(await shop.length(shop.mail), 3));
    await eventually(async () => assert.match(await operator.page.locator('main').innerText(), /paused/i));
    const before = shop.handled.length;
    await press(operator, `Resume ${shop.mail}`);
    await eventually(() => assert.equal(shop.handled.length, before + 3));
  });

  it('scales a queue', async () => {
    const { shop } = scene;
    await operator.go(`/queues/${encodeURIComponent(shop.mail)}`);
    await operator.page.getByLabel('At once in each process').fill('7');
    await press(operator, `Scale ${shop.mail}`);
    await eventually(() => assert.equal(shop.slotsOf(shop.mail), 7));
  });

  it('says what is wrong with a number that is none, and changes nothing', async () => {
    const { shop } = scene;
    const before = shop.slotsOf(shop.mail);
    const { page } = operator;
    await operator.go(`/queues/${encodeURIComponent(shop.mail)}`);
    const field = page.getByLabel('At once in each process');
    await field.fill('0');
    await page
      .getByRole('main')
      .getByRole('button', { name: `Scale ${shop.mail}` })
      .click();
    assert.equal(await page.locator('input[name="concurrency"]:invalid').count(), 1);
    assert.equal(shop.slotsOf(shop.mail), before);
  });

  it('cancels what runs', async () => {
    const { shop } = scene;
    const id = await shop.report();
    await eventually(
      async () => {
        await operator.go('/running');
        assert.ok(await operator.page.getByRole('button', { name: `Cancel ${id}` }).isVisible());
      },
      { timeout: 30_000, interval: 500 },
    );
    await press(operator, `Cancel ${id}`);
    await eventually(async () => assert.equal(await shop.length(`${shop.reports}.dead`), 1));
  });
});
