import assert from 'node:assert/strict';
import { openControl } from '../../src/control/control.js';
import { retryBatch } from '../../src/dashboard/pages/batches/actions.js';
import type { BatchModel } from '../../src/dashboard/pages/batches/model.js';
import type { ChainsModel } from '../../src/dashboard/pages/chains/model.js';
import type { DelayedModel } from '../../src/dashboard/pages/delayed/model.js';
import type { TopologyModel } from '../../src/dashboard/pages/topology/model.js';
import { restartService } from '../../src/dashboard/pages/workers/actions.js';
import type { Site } from '../../src/dashboard/site/site.js';
import { topologyFacts } from '../../src/dashboard/site/topology-facts.js';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, memory } from '../../src/index.js';
import { openFailures } from '../../src/operate.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { Names } from '../../src/topology/names.js';
import { systemClock } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { drawn, siteOf } from './drawn.js';

describe('the pages of a bus that runs', () => {
  const gate = deferred();
  let bus: Bus;
  let site: Site;
  let isBroken = true;
  const scan = async () => {
    if (isBroken) throw new Error('a virus');
  };
  let close: () => Promise<void>;

  before(async () => {
    const transport = memory();
    const stores = memoryStores(systemClock);
    bus = new Bus({ service: 'shop', version: '1.4.2', transport, stores, log: silentLogger });
    bus
      .handle('order.placed', () => {}, {
        name: 'Ship',
        queue: { name: 'shop.ship', lanes: ['fast', 'default'] },
      })
      .handle('thumbs.make', () => gate.promise, { name: 'MakeThumbs', queue: 'shop.thumbs' })
      .handle('thumbs.tell', () => {}, { name: 'TellThumbs', queue: 'shop.thumbs' })
      .handle('scan', scan, {
        name: 'Scan',
        queue: 'shop.scan',
        retry: { tries: 1 },
      });
    await bus.start();
    await bus.send('order.placed', 1, { delay: '30s' });
    await bus.send('order.placed', 2, { delay: '2h' });
    const watch = startWatch({ transport, wait: '50ms', every: '100ms', log: silentLogger });
    const failures = await openFailures({ transport, queues: ['shop.scan'], log: silentLogger });
    const index = failures.index();
    const operations = failures.operations(index, { takesOn: false });
    const control = await openControl({ transport, wait: '50ms', log: silentLogger });
    const names = new Names();
    site = siteOf({
      ...{ names, watch, control: async () => control, management: undefined, index },
      ...{ operations, jobs: stores.jobs, batches: stores.batches },
      topology: () => topologyFacts({ names, watch, management: undefined, control: async () => control }),
    });
    close = async () => {
      await operations.close();
      await Promise.all([watch.close(), control.close(), failures.close()]);
    };
  });
  after(async () => {
    gate.resolve();
    await close?.();
    await bus?.stop({ cancel: true });
  });

  it('list its process, and say why that is not restarted', async () => {
    const { text } = await drawn('workers', site);
    assert.match(text, /shop 1 1\.4\.2 \d+ of 30 \d+ MB not supervised/);
    const form = new FormData();
    const asked = { site, query: new URLSearchParams(), form, by: 'ada' };
    const { say } = await restartService.run({ ...asked, params: { service: 'shop' } });
    assert.match(say, /^No process of 'shop' is replaced\. \S+ \d+: /);
    const nobody = await restartService.run({ ...asked, params: { service: 'nobody' } });
    assert.match(nobody.say, /No process of service 'nobody' has answered/);
  });

  it('draw what its handlers are bound by, lanes included, and reach what its messages reach', async () => {
    const { model, text } = await drawn<TopologyModel>('topology', site, {
      query: 'exchange=hopline.events&key=thumbs.make',
    });
    assert.match(text, /'thumbs\.make' on hopline\.events reaches 1 queue shop\.thumbs/);
    assert.deepEqual(
      model.queues.map(({ queue }) => queue),
      ['shop.scan', 'shop.ship', 'shop.ship.fast', 'shop.thumbs'],
    );
    const nodes = (kind: string) =>
      model.picture.nodes.filter((node) => node.kind === kind).map(({ title }) => title);
    assert.deepEqual(nodes('handler').toSorted(), ['MakeThumbs', 'Scan', 'Ship', 'TellThumbs']);
    assert.deepEqual(nodes('exchange').toSorted(), ['hopline.events', 'hopline.events.lane.fast']);
    const marked = model.picture.nodes.filter(({ isReached }) => isReached).map(({ title }) => title);
    assert.deepEqual(marked.toSorted(), [
      'MakeThumbs',
      'hopline.events',
      'shop.thumbs',
      'thumbs.make, thumbs.tell',
    ]);
  });

  it('count what is delayed, and say when it is due at the latest', async () => {
    const { due, waiting } = await eventually(async () => {
      const { model } = await drawn<DelayedModel>('delayed', site);
      return model.waiting === 2 && model;
    });
    assert.equal(waiting, 2);
    assert.deepEqual(
      due.filter(({ count }) => count > 0).map(({ withinMs, count }) => [withinMs, count]),
      [
        [60_000, 1],
        [86_400_000, 1],
      ],
    );
  });

  it('find a job by its name, wherever it is', async () => {
    const sent = { service: 'shop', routingKey: 'thumbs.make', sentAt: Date.now(), dueAt: undefined };
    const kept = { keepMs: 60_000, message: undefined };
    await site.jobs?.add([{ id: 'the-job', name: 'thumbs of 7', tags: [], ...sent, ...kept }]);
    const { html, text } = await drawn('search', site, { query: 'q=thumbs+of+7' });
    assert.match(text, /thumbs of 7/);
    assert.match(html, /href="\/ops\/shop\/jobs\/the-job"/);
  });

  it('show a chain while a step of it runs', async () => {
    await bus
      .chain(
        [
          { key: 'thumbs.make', payload: 1 },
          { key: 'thumbs.tell', payload: 1 },
        ],
        { id: 'the-chain' },
      )
      .dispatch();
    await eventually(async () => {
      const { model, text } = await drawn<ChainsModel>('chains', site);
      assert.deepEqual(
        model.chains.map(({ id }) => id),
        ['the-chain'],
      );
      assert.match(text, /the-chain running MakeThumbs/);
    });
    const { text } = await drawn('chain', site, { params: { chain: 'the-chain' } });
    assert.match(text, /MakeThumbs shop\.thumbs shop 1 .* the-chain/);
  });

  it('show a chain that stands where a step of it has failed, with what is left of it', async () => {
    const scan = { key: 'scan', payload: 1 };
    const rest = Array.from({ length: 12 }, () => ({ key: 'thumbs.tell', payload: 1 }));
    await bus.chain([scan, ...rest], { id: 'standing-chain' }).dispatch();
    await bus.publish('scan', 1, { messageId: 'no-chain' });
    await eventually(async () => {
      await site.index.refresh({ force: true });
      assert.equal(site.index.letters().count, 2);
    });
    const { model, text } = await drawn<ChainsModel>('chains', site, { query: 'text=STANDING' });
    assert.equal(model.chains.length, 1);
    assert.match(text, /standing-chain stands step 1 of 13 failed in Scan (thumbs\.tell → ){10}2 more/);
    const one = await drawn('chain', site, { params: { chain: 'standing-chain' } });
    assert.match(one.text, /step 1 of 13 Scan Error: a virus/);
  });

  it('retry the failed jobs of a batch, which then count as done in it', async () => {
    const jobs = [1, 2, 3].map((payload) => ({ key: 'scan', payload }));
    await bus.batch(jobs, { id: 'the-batch' }).allowFailures().dispatch();
    const shown = async () => {
      await site.index.refresh({ force: true });
      return await drawn<BatchModel>('batch', site, { params: { batch: 'the-batch' } });
    };
    await eventually(async () => {
      const { model, text } = await shown();
      assert.deepEqual([model.batch?.failed, model.dead.count], [3, 3]);
      assert.match(text, /3 dead letters of this batch will be replayed/);
    });
    isBroken = false;
    const query = new URLSearchParams();
    const asked = { site, query, form: new FormData(), by: 'ada', params: { batch: 'the-batch' } };
    assert.equal((await retryBatch.run(asked)).say, 'Retrying 3 of shop.scan.dead.');
    await eventually(async () => {
      const { model } = await shown();
      assert.deepEqual([model.batch?.done, model.batch?.state, model.dead.count], [3, 'finished', 0]);
    });
  });
});
