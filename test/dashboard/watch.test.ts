import assert from 'node:assert/strict';
import type { Seen, Watch } from '../../src/dashboard/site/seen.js';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, memory } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';

describe('a watch over an application', () => {
  let transport: ReturnType<typeof memory>;
  let watch: Watch;
  let buses: Bus[];

  beforeEach(() => {
    transport = memory();
    buses = [];
  });

  afterEach(async () => {
    await watch?.close();
    await Promise.all(buses.map((bus) => bus.stop({ cancel: true }).catch(() => {})));
  });

  function begin(options: Partial<Parameters<typeof startWatch>[0]> = {}): Watch {
    watch = startWatch({
      ...{ transport, wait: '50ms', every: '200ms', everyWhileFollowed: '100ms', log: silentLogger },
      ...options,
    });
    return watch;
  }

  function worker(handle: (payload: unknown) => unknown): Bus {
    const bus = new Bus({
      service: 'shop',
      version: '1.4.2',
      transport,
      failureLog: false,
      log: silentLogger,
    });
    buses.push(bus);
    return bus.handle('order.placed', handle, { name: 'Ship', retry: { tries: 1 }, queue: 'shop.ship' });
  }

  const next = (): Promise<Seen> =>
    new Promise((resolve) => {
      const end = watch.follow((seen) => {
        end();
        resolve(seen);
      });
    });

  it('sees its processes, handlers and queues, with rates that are those between its looks', async () => {
    const bus = worker(() => {});
    await bus.start();
    begin();
    const first = await watch.latest();
    assert.equal(first.reached, true);
    assert.deepEqual(
      first.processes.map(({ service, version }) => [service, version]),
      [['shop', '1.4.2']],
    );
    assert.equal(first.queues[0]?.inRate, undefined);
    for (let sent = 0; sent < 20; sent += 1) await bus.publish('order.placed', sent);
    await eventually(async () => {
      const { queues, handlers } = await next();
      assert.equal(handlers[0]?.attempts, 20);
      const [queue] = queues;
      assert.ok((queue?.outRate ?? 0) > 0 && (queue?.inRate ?? 0) > 0);
      assert.deepEqual([queue?.length, queue?.clearMs, queue?.slots], [0, 0, 10]);
    });
  });

  it('tells which messages run and which were slowest', async () => {
    const gate = deferred();
    const bus = worker((payload) => payload === 'slow' && gate.promise);
    await bus.start();
    begin();
    await watch.latest();
    await bus.publish('order.placed', 'quick');
    await bus.publish('order.placed', 'slow', { messageId: 'the-slow-one' });
    await eventually(async () => {
      const [running] = await watch.running();
      assert.deepEqual(
        [running?.handler, running?.messageId, running?.service],
        ['Ship', 'the-slow-one', 'shop'],
      );
    });
    gate.resolve();
    await eventually(async () => {
      const [slowest] = await watch.slowest();
      assert.deepEqual([slowest?.messageId, slowest?.outcome], ['the-slow-one', 'handled']);
    });
  });

  it('sees nothing where no worker has ever run, and that is no fault', async () => {
    begin();
    const { reached, silent, processes, paused, lost } = await watch.latest();
    assert.deepEqual([reached, silent, processes, paused, lost], [true, [], [], [], 0]);
    assert.deepEqual([await watch.running(), await watch.slowest()], [[], []]);
    assert.deepEqual(watch.alerts(), []);
  });

  it('keeps what it saw last while the broker can not be asked, and says why', async () => {
    const away: typeof transport = {
      ...transport,
      open: async () => Promise.reject(new Error('it is away')),
    };
    begin({ transport: away });
    const seen = await watch.latest();
    assert.deepEqual([seen.reached, seen.silent, seen.queues], [false, ['it is away'], []]);
  });
});
