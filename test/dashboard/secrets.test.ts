import assert from 'node:assert/strict';
import { openControl } from '../../src/control/control.js';
import { SiteLetters } from '../../src/dashboard/letters/site-letters.js';
import { PAGES } from '../../src/dashboard/pages/pages.js';
import { REDACTED } from '../../src/dashboard/site/redacted.js';
import type { Site } from '../../src/dashboard/site/site.js';
import { topologyFacts } from '../../src/dashboard/site/topology-facts.js';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, memory } from '../../src/index.js';
import { openFailures } from '../../src/operate.js';
import type { JobStore } from '../../src/stores/jobs.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { Names } from '../../src/topology/names.js';
import { systemClock } from '../../src/util/clock.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { drawn, siteOf } from './drawn.js';

/** Three ways in which an error tells a secret, and a character that turns the line. */
const ERROR =
  'no login: password=CorrectHorse, amqp://bob:S/ecretHorse@rabbit, Cookie: a=1; sid=StapleHorse \u202e';
const SECRETS = /CorrectHorse|ecretHorse|StapleHorse|\u202e/;

/** A job that has noted the secret, and then failed with it. */
async function failedJob(jobs: JobStore): Promise<void> {
  const [id, run, at] = ['the-job', 'one', Date.now()];
  const of = { version: 1, queue: 'shop.scan', handler: 'Scan', attempt: 1, at };
  const sent = { name: undefined, tags: [], service: 'shop', routingKey: 'scan', dueAt: undefined };
  await jobs.add([{ id, ...sent, sentAt: at, keepMs: 60_000, message: undefined }]);
  await jobs.begin([{ id, ...of, run, host: 'web-1', pid: 1 }]);
  await jobs.progress([{ id, run, percent: 1, note: ERROR, at }]);
  await jobs.end([{ id, state: 'dead-lettered', ...of, error: ERROR, result: JSON.stringify(ERROR) }]);
}

describe('a secret in the error of a handler', () => {
  let bus: Bus;
  let site: Site;
  let close: () => Promise<void>;

  before(async () => {
    const transport = memory();
    const stores = memoryStores(systemClock);
    bus = new Bus({ service: 'shop', transport, stores, log: silentLogger, failureLog: false });
    const fail = () => {
      throw new Error(ERROR);
    };
    bus.handle('scan', fail, { name: 'Scan', queue: 'shop.scan', retry: { tries: 1 } });
    await bus.start();
    const options = { transport, log: silentLogger };
    const watch = startWatch({ ...options, wait: '50ms', every: '100ms' });
    const failures = await openFailures({ ...options, queues: ['shop.scan'] });
    const index = failures.index();
    const operations = failures.operations(index, { takesOn: false });
    const control = await openControl({ ...options, wait: '50ms' });
    const names = new Names();
    const refused = {
      id: '1',
      messageId: 'm',
      routingKey: 'k',
      orderKey: undefined,
      refusals: 3,
      error: ERROR,
    };
    const outbox = { backlog: async () => ({ waiting: 1, lagMs: 1, refused: [refused] }) };
    const clock = transport.clock;
    site = siteOf({
      ...{ names, clock, watch, index, operations, management: undefined },
      ...{ jobs: stores.jobs, batches: stores.batches },
      broker: 'in memory',
      control: async () => control,
      failures: async () => failures,
      letters: new SiteLetters({ names, clock, redact: REDACTED, failures: async () => failures }),
      outbox: outbox as unknown as Site['outbox'],
      topology: () => topologyFacts({ names, watch, management: undefined, control: async () => control }),
    });
    close = async () => {
      await operations.close();
      await Promise.all([watch.close(), control.close(), failures.close()]);
    };
    const scan = { key: 'scan', payload: { note: ERROR } };
    await failedJob(stores.jobs ?? assert.fail('no jobs'));
    await bus.chain([scan, scan], { id: 'the-chain' }).dispatch();
    await bus.batch([scan], { id: 'the-batch' }).dispatch();
    await bus.publish('scan', { note: ERROR }, { messageId: 'the-letter', headers: { told: ERROR } });
    await bus.publish('scan', 1, { messageId: 'the-forgotten' });
    await eventually(async () => {
      await index.refresh({ force: true });
      assert.equal(index.letters().count, 4);
    });
    const selection = { ids: ['the-forgotten'], deadQueue: 'shop.scan.dead' };
    const { id } = await operations.begin({ kind: 'forget', selection }, 'ada');
    await operations.ended(id);
    site.letters.trash.changed();
    await eventually(async () => {
      const { handlers } = await watch.latest();
      assert.equal(handlers[0]?.errors[0]?.count, 4);
    });
  });
  after(async () => {
    await close?.();
    await bus?.stop({ cancel: true });
  });

  it('is on no page, and the error is', async () => {
    const [group] = await site.index.groups();
    const [operation] = await site.operations.list();
    const params: Record<string, string> = {
      ...{ service: 'shop', queue: 'shop.scan', handler: 'Scan', chain: 'the-chain', batch: 'the-batch' },
      job: 'the-job',
      ...{ group: group?.id ?? '', operation: operation?.id ?? '' },
    };
    const showing = new Set<string>();
    for (const page of PAGES) {
      const isLetter = page.path.startsWith('/messages');
      const own = isLetter ? { queue: 'shop.scan.dead', id: 'the-letter' } : params;
      const query = page.name === 'search' ? 'q=login' : '';
      const { html, model } = await eventually(async () => {
        const made = await drawn<object>(page.name, site, { params: own, query });
        assert.ok(!('state' in made.model) || made.model.state !== 'reading');
        return made;
      });
      const title = page.title(model as never);
      for (const text of [html, JSON.stringify(model), title]) {
        const [found, { index = 0 } = {}] = [SECRETS.test(text), SECRETS.exec(text) ?? {}];
        assert.ok(!found, `${page.name}: ${text.slice(Math.max(0, index - 200), index + 40)}`);
      }
      if (html.includes('no login')) showing.add(page.name);
    }
    const expected = ['overview', 'failures', 'group', 'message', 'trash', 'search', 'handlers', 'handler'];
    for (const name of [...expected, 'batch', 'job', 'jobs', 'chain', 'outbox'])
      assert.ok(showing.has(name), `${name} does not show the error`);
  });

  it('an operation on single letters is on the overview without their ids, while it runs', async () => {
    const ids = ['never-there-1', 'never-there-2'];
    const running = {
      ...{
        id: 'op-1',
        kind: 'retry',
        by: 'ada',
        state: 'running',
        startedAt: 1,
        total: 2,
        done: 0,
        failed: 0,
      },
      selection: { ids, deadQueue: 'shop.scan.dead' },
    };
    const operations = { list: async () => [running] } as unknown as Site['operations'];
    const { model, text } = await drawn<object>('overview', siteOf({ ...site, operations }));
    assert.match(text, /ada/);
    assert.doesNotMatch(JSON.stringify(model), /never-there/);
  });
});
