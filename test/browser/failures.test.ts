import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { deadQueueOf } from '../../src/topology/names.js';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import { becomes, openGroup, press, textOf } from './support/steps.js';
import type { Visitor } from './support/visitor.js';

describe('an operator in front of dead letters', function () {
  this.timeout(120_000);
  let scene: Scene;
  let operator: Visitor;
  let page: Page;

  beforeEach(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open();
    operator = await scene.visitor();
    ({ page } = operator);
  });
  afterEach(async () => {
    await scene.visitorsLeave();
    await scene.close();
  });

  it('sees failures of one kind as one group, with how many there are and what they have in common', async () => {
    await scene.shop.fail('no mailbox', 6);
    await scene.shop.fail('quota', 2);
    await openGroup(operator, /no mailbox for user/, 6);
    const text = await textOf(page.locator('main'));
    assert.match(text, /TypeError/);
    assert.match(text, /SendMail/);
    assert.match(text, /6 dead letters will be replayed to the queue/);
    await eventually(async () =>
      assert.match(await page.locator('main').innerText(), /no mailbox for user 100\d/),
    );
  });

  it('retries a group as a canary that goes on to its end once the cause is mended, each handled once', async () => {
    const ids = await scene.shop.fail('no mailbox', 14);
    scene.shop.mended.add('no mailbox');
    await openGroup(operator, /no mailbox/, 14);
    await press(operator, 'Retry as a canary');
    await becomes(operator, 'done');
    assert.deepEqual([...scene.shop.handled].sort(), [...ids].sort());
    assert.equal(await scene.shop.length(deadQueueOf(scene.shop.mail)), 0);
    assert.match(await textOf(page.locator('main')), /14 of 14/);
  });

  it('loses one try alone to a canary while the cause is still there, and reads why it has stopped', async () => {
    await scene.shop.fail('no mailbox', 14);
    await openGroup(operator, /no mailbox/, 14);
    await press(operator, 'Retry as a canary');
    await becomes(operator, 'stopped');
    assert.match(await textOf(page.locator('main')), /Came back 1/i);
    await eventually(async () => assert.equal(await scene.shop.length(deadQueueOf(scene.shop.mail)), 14));
    assert.deepEqual(scene.shop.handled, []);
  });

  it('retries all of a group after a question', async () => {
    const ids = await scene.shop.fail('quota', 5);
    scene.shop.mended.add('quota');
    await openGroup(operator, /quota/, 5);
    await press(operator, 'Retry all');
    await becomes(operator, 'done');
    await eventually(() => assert.deepEqual([...scene.shop.handled].sort(), [...ids].sort()));
  });

  it('forgets a group, finds it in the trash, and takes it back', async () => {
    const dead = deadQueueOf(scene.shop.mail);
    await scene.shop.fail('quota', 4);
    await openGroup(operator, /quota/, 4);
    await press(operator, 'Forget all');
    await becomes(operator, 'done');
    assert.equal(await scene.shop.length(dead), 0);
    await operator.go('/trash');
    await press(operator, /^Restore/);
    await eventually(async () => assert.equal(await scene.shop.length(dead), 4), { timeout: 30_000 });
  });

  it('notes what is known of a group, for whoever looks next', async () => {
    await scene.shop.fail('quota', 1);
    await openGroup(operator, /quota/, 1);
    await page.getByLabel('State').selectOption('seen');
    await page.getByLabel('Note', { exact: true }).fill('Ada is at it: <b>disk</b> is full');
    await page.getByRole('button', { name: 'Note it' }).click();
    await page.getByText('Ada is at it: <b>disk</b> is full').first().waitFor();
    const other = await scene.visitor();
    await other.go('/failures');
    await other.page.getByText('Ada is at it: <b>disk</b> is full').waitFor();
  });

  it('reads one message with its story, and retries it alone', async () => {
    const ids = await scene.shop.fail('no mailbox', 3);
    scene.shop.mended.add('no mailbox');
    await openGroup(operator, /no mailbox/, 3);
    await page.getByRole('link', { name: ids[1] as string }).click();
    await page.waitForURL(/\/messages\//);
    await eventually(async () => assert.match(await page.locator('main').innerText(), /user-1@example\.org/));
    await press(operator, /^Retry/);
    await eventually(() => assert.deepEqual(scene.shop.handled, [ids[1]]), { timeout: 30_000 });
  });

  it('edits a message, is told what its schema does not allow, and retries it once it does', async () => {
    const { shop } = scene;
    const id = await shop.failBill({ to: 'ada@example.org', cents: 'a lot' });
    await openGroup(operator, /cents/, 1);
    await page.getByRole('main').getByRole('link', { name: id }).first().click();
    await page.getByRole('link', { name: 'Edit and retry' }).click();
    const body = page.getByRole('textbox', { name: 'Body' });
    await body.fill('{ "to": "ada@example.org", "cents": "still a lot" }');
    await press(operator, 'Retry as edited');
    assert.match(await textOf(page.locator('main')), /Nothing was sent.*cents/);
    assert.match(await body.inputValue(), /still a lot/);
    assert.equal(await shop.length(deadQueueOf(shop.bills)), 1);
    await body.fill('{ "to": "ada@example.org", "cents": 1250 }');
    await press(operator, 'Retry as edited');
    await eventually(() => assert.deepEqual(shop.billed, [{ to: 'ada@example.org', cents: 1_250 }]), {
      timeout: 30_000,
    });
    assert.equal(await shop.length(deadQueueOf(shop.bills)), 0);
  });
});
