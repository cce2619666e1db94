import assert from 'node:assert/strict';
import type { HandlerModel } from '../../src/dashboard/pages/handlers/model.js';
import type { OverviewModel } from '../../src/dashboard/pages/overview/model.js';
import { NotFound } from '../../src/dashboard/pages/page.js';
import { ACTIONS, PAGES } from '../../src/dashboard/pages/pages.js';
import type { QueueModel, QueuesModel } from '../../src/dashboard/pages/queues/model.js';
import type { RunningModel } from '../../src/dashboard/pages/running/model.js';
import type { Site } from '../../src/dashboard/site/site.js';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, memory } from '../../src/index.js';
import { type Control, openControl } from '../../src/operate.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { drawn, indexOf, siteOf } from './drawn.js';

const HOSTILE = 'mail<script>alert(1)</script>';

describe('a page of what is so now', () => {
  let transport: ReturnType<typeof memory>;
  let bus: Bus;
  let control: Control | undefined;
  let site: Site;
  let gate: ReturnType<typeof deferred<void>>;

  beforeEach(async () => {
    transport = memory();
    gate = deferred();
    bus = new Bus({ service: 'shop', transport, failureLog: false, log: silentLogger });
    bus.handle(
      'mail.due',
      async (payload: string) => {
        if (payload === 'fail') throw new TypeError(`no <b>address</b>`);
        if (payload === 'wait') await gate.promise;
      },
      {
        name: 'Send',
        retry: { tries: 1 },
        queue: HOSTILE,
        circuitBreaker: { attempts: 3, pause: '10m' },
      },
    );
    await bus.start();
    const watch = startWatch({
      ...{ transport, wait: '50ms', every: '100ms', everyWhileFollowed: '100ms', log: silentLogger },
    });
    site = siteOf({
      watch,
      index: { ...indexOf([]), groups: async () => [] },
      operations: { list: async () => [] } as Partial<Site['operations']> as Site['operations'],
      control: async () => {
        control ??= await openControl({ transport, wait: '100ms', log: silentLogger });
        return control;
      },
      examine: async () => [
        { severity: 'error', check: 'missing', message: "queue 'x' is missing", help: 'Start it.' },
      ],
    });
  });

  afterEach(async () => {
    gate.resolve();
    await site.watch.close();
    await control?.close();
    control = undefined;
    await bus.stop({ cancel: true });
  });

  async function act(path: string, params: Record<string, string>, fields: Record<string, string> = {}) {
    const action = ACTIONS.find((each) => each.path === path);
    assert.ok(action, path);
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return action.run({ site, params, query: new URLSearchParams(), form, by: 'ann' });
  }

  it('lists the queues with their figures, and any name as text', async () => {
    const { model, html, text } = await drawn<QueuesModel>('queues', site);
    assert.deepEqual(
      model.rows.map(({ queue, slots, consumers }) => [queue, slots, consumers]),
      [[HOSTILE, 10, 1]],
    );
    assert.doesNotMatch(html, /<script/);
    assert.match(text, /0 of 10/);
    assert.match(html, /href="\/ops\/shop\/queues\/mail%3Cscript%3Ealert\(1\)%3C%2Fscript%3E"/);
  });

  it('lists those queues alone that have a text in their names, and says so if none has', async () => {
    assert.equal((await drawn<QueuesModel>('queues', site, { query: 'text=MAIL' })).model.count, 1);
    const none = await drawn<QueuesModel>('queues', site, { query: 'text=sms&sort=nonsense&offset=-1' });
    assert.deepEqual([none.model.count, none.model.sort, none.model.offset], [0, 'name', 0]);
    assert.match(none.text, /No queue has 'sms' in its name/);
  });

  it('pauses a queue and resumes it, and shows that', async () => {
    const params = { queue: HOSTILE };
    const paused = await act('/queues/:queue/pause', params, { from: 'queues' });
    assert.equal(paused.to, '/queues');
    assert.match(paused.say, /is paused, also for processes that start later.*1 process obeyed/);
    await eventually(async () => {
      const { model, text } = await drawn<QueueModel>('queue', site, { params });
      assert.equal(model.queue.paused, true);
      assert.deepEqual(model.pausedBy, [HOSTILE]);
      assert.match(text, /Paused by an operator/);
    });
    const resumed = await act('/queues/:queue/resume', params);
    assert.match(resumed.say, /is not paused/);
    await eventually(async () => {
      assert.equal((await drawn<QueueModel>('queue', site, { params })).model.queue.paused, false);
    });
  });

  it('scales a queue, and refuses what is no number of messages', async () => {
    const params = { queue: HOSTILE };
    assert.match(
      (await act('/queues/:queue/scale', params, { concurrency: '3' })).say,
      /3 messages of .* 1 process obeyed/,
    );
    await eventually(async () => {
      assert.equal((await drawn<QueueModel>('queue', site, { params })).model.queue.slots, 3);
    });
    await assert.rejects(act('/queues/:queue/scale', params, { concurrency: '3; drop' }), /got '3; drop'/);
  });

  it('closes an open circuit by its button', async () => {
    for (let sent = 0; sent < 5; sent += 1) await bus.publish('mail.due', 'fail');
    const params = { queue: HOSTILE };
    await eventually(async () => {
      const { model, text, html } = await drawn<QueueModel>('queue', site, { params });
      assert.deepEqual(model.queue.openCircuits, ['Send']);
      assert.match(text, /The circuit of Send is open/);
      assert.match(html, /circuits\/Send\/close/);
      const { model: overview } = await drawn<OverviewModel>('overview', site);
      assert.ok(overview.wrong.some(({ message }) => /circuit of Send is open/.test(message)));
    });
    const done = await act('/queues/:queue/circuits/:handler/close', { ...params, handler: 'Send' });
    assert.match(done.say, /is closed in 1 process/);
  });

  it('sets the limits of a handler, shows them, and clears them', async () => {
    const params = { service: 'shop', queue: HOSTILE, handler: 'Send' };
    const path = '/handlers/:service/:queue/:handler/limits';
    const page = () => drawn<HandlerModel>('handler', site, { params });
    assert.match((await page()).text, /It starts as often as there are messages\./);
    const done = await act(`${path}/set`, params, { rate: '50/1m', concurrency: '4' });
    assert.match(done.say, /^50\/1m, 4 at once in each process of 'Send', .* 1 process obeyed\.$/);
    await eventually(async () => {
      const { text, html } = await page();
      assert.match(text, /It starts 50 times in 1 min at most, and runs 4 at once at most in each process\./);
      assert.match(html, /limits\/clear/);
    });
    await assert.rejects(
      act(`${path}/set`, params, { rate: 'often' }),
      /expected the rate to be like 50\/1m/,
    );
    await assert.rejects(act(`${path}/set`, params, {}), /expected a rate, a concurrency, or both/);
    await act(`${path}/clear`, params);
    await eventually(async () => assert.doesNotMatch((await page()).html, /limits\/clear/));
  });

  it('says of a queue that nobody knows that it is not there', async () => {
    await assert.rejects(drawn('queue', site, { params: { queue: 'sms' } }), NotFound);
    await assert.rejects(
      drawn('handler', site, { params: { service: 'shop', queue: HOSTILE, handler: 'Nobody' } }),
      NotFound,
    );
  });

  it('shows what runs against its timeout, and cancels it', async () => {
    await bus.publish('mail.due', 'wait', { messageId: 'the-one' });
    await eventually(async () => {
      const { model, text, html } = await drawn<RunningModel>('running', site);
      assert.deepEqual(
        model.rows.map(({ messageId, handler }) => [messageId, handler]),
        [['the-one', 'Send']],
      );
      assert.match(text, /has run for|the-one/);
      assert.match(html, /name="message" value="the-one"/);
    });
    assert.match((await act('/running/cancel', {}, { message: 'the-one' })).say, /was fired: shop on/);
    gate.resolve();
    assert.match(
      (await act('/running/cancel', {}, { message: 'another' })).say,
      /No handler runs message 'another'/,
    );
  });

  it("shows a handler's outcomes, its errors as text and its slowest messages", async () => {
    await bus.publish('mail.due', 'fine', { messageId: 'quick' });
    await bus.publish('mail.due', 'fail');
    await eventually(async () => {
      const { model, text, html } = await drawn<HandlerModel>('handler', site, {
        params: { service: 'shop', queue: HOSTILE, handler: 'Send' },
      });
      assert.deepEqual(
        [model.handler.attempts, model.handler.failures, model.handler.deadLettered],
        [2, 1, 1],
      );
      assert.ok(model.slowest.some(({ messageId }) => messageId === 'quick'));
      assert.match(text, /no <b>address<\/b>/);
      assert.doesNotMatch(html, /<b>/);
    });
    const { text } = await drawn('handlers', site, { query: 'text=send' });
    assert.match(text, /1 handler;/);
  });

  it('has an overview that asks doctor for whoever wants that, and nobody else', async () => {
    const { model, text } = await drawn<OverviewModel>('overview', site);
    assert.equal(model.examined, undefined);
    assert.match(text, /Nobody has asked doctor/);
    const asked = await drawn<OverviewModel>('overview', site, { query: 'doctor=yes' });
    assert.match(asked.text, /error queue 'x' is missing Start it\./);
  });

  it('reads without a form where actions are not allowed', async () => {
    for (const name of ['queues', 'running', 'overview', 'handlers']) {
      const { html } = await drawn(name, site, { context: { mayAct: false } });
      assert.doesNotMatch(html, /method="post"/, name);
    }
    assert.ok(PAGES.length > 0);
  });

  it('says that no worker answers', async () => {
    await bus.stop();
    await eventually(async () => {
      const { model, text } = await drawn<OverviewModel>('overview', site);
      assert.equal(model.processes, 0);
      assert.match(text, /No worker answers/);
    });
  });
});
