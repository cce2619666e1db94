import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { examination } from '../../src/dashboard/site/examination.js';
import { reach } from '../../src/dashboard/site/reach.js';
import type { Watch } from '../../src/dashboard/site/seen.js';
import { topologyFacts } from '../../src/dashboard/site/topology-facts.js';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, rabbitmq } from '../../src/index.js';
import { type Control, openControl } from '../../src/operate.js';
import { Management } from '../../src/oversight/management/management.js';
import { Names } from '../../src/topology/names.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { type ManagedNode, managedNode } from '../cli/managed-node.js';
import { raw } from '../faults/fixture.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';

const LONG = { timeout: 60_000, interval: 100 };

describe('a watch over an application on RabbitMQ', function () {
  this.timeout(120_000);
  let managed: ManagedNode;
  let prefix: string;
  let watches: Watch[];
  let controls: Control[];
  let buses: Bus[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
  });

  beforeEach(() => {
    prefix = `watch-${randomBytes(4).toString('hex')}`;
    [watches, controls, buses] = [[], [], []];
  });

  afterEach(async () => {
    await Promise.all([...watches, ...controls].map((each) => each.close()));
    await Promise.all(buses.map((bus) => bus.stop({ cancel: true }).catch(() => {})));
  });

  const transport = () => rabbitmq({ url: managed.node.url });
  const api = () => new Management(managed.managementUrl, '/');

  function begin(management?: Management): Watch {
    const watch = startWatch({
      ...{ transport: transport(), prefix, management, log: silentLogger },
      ...{ wait: '200ms', every: '500ms', everyWhileFollowed: '300ms' },
    });
    watches.push(watch);
    return watch;
  }

  function bus(service = `${prefix}.shop`): Bus {
    const made = new Bus({ service, prefix, transport: transport(), failureLog: false, log: silentLogger });
    buses.push(made);
    return made;
  }

  async function control(): Promise<Control> {
    const opened = await openControl({ transport: transport(), prefix, wait: '300ms', log: silentLogger });
    controls.push(opened);
    return opened;
  }

  for (const withApi of [false, true])
    it(`sees queues, dead letters, delays and what runs, ${withApi ? 'with' : 'without'} a management API`, async () => {
      const gate = deferred();
      const queue = `${prefix}.ship`;
      const worker = bus().handle(
        'order.#',
        (payload) => {
          if (payload === 'bad') throw new Error('no such address');
          return gate.promise;
        },
        { name: 'Ship', queue: { name: queue, concurrency: 1 }, retry: { tries: 1 } },
      );
      await worker.start();
      const watch = begin(withApi ? api() : undefined);
      await worker.publish('order.placed', 'bad');
      for (let sent = 0; sent < 5; sent += 1) await worker.publish('order.placed', sent);
      await worker.publish('order.placed', 'later', { delay: withApi ? '2h' : '1h' });
      await eventually(async () => {
        const { queues, delays, broker, reached } = await watch.latest();
        const seen = queues.find((each) => each.queue === queue);
        assert.deepEqual(
          [reached, seen?.deadLetters, seen?.slots, seen?.running, seen?.consumers, seen?.paused],
          [true, 1, 1, 1, 1, false],
        );
        assert.equal((seen?.length ?? 0) + (seen?.waiting ?? 0), 4);
        // All applications of a vhost share the levels.
        const level = delays.find((each) => each.queue.endsWith(withApi ? '.h2' : '.h1'));
        assert.deepEqual([level?.length, level?.dueMs], [1, (withApi ? 4 : 2) * 3_600_000 - 100]);
        assert.match(broker.name, /^RabbitMQ \d+\.\d+/);
        assert.equal(broker.nodes.length, withApi ? 1 : 0);
        assert.equal(broker.nodes[0]?.running, withApi ? true : undefined);
        assert.equal(typeof broker.connections, withApi ? 'number' : 'undefined');
        assert.equal(seen?.type, withApi ? 'quorum' : undefined);
      }, LONG);
      const [running] = await watch.running();
      assert.deepEqual([running?.queue, running?.handler], [queue, 'Ship']);
      await eventually(async () => {
        const { values } = await watch.history('dead-letters', queue, 60_000);
        assert.ok(values.includes(1));
      }, LONG);
      gate.resolve();
    });

  it('takes the totals of the management API where there are many queues', async () => {
    const worker = bus();
    for (let number = 0; number < 30; number += 1)
      worker.handle(`k${number}`, () => {}, { name: `H${number}`, queue: `${prefix}.q${number}` });
    await worker.start();
    const watch = begin(api());
    const operator = await control();
    await eventually(() => assert.equal(watch.seen?.processes.length, 1), LONG);
    await operator.pause(`${prefix}.q7`);
    for (let sent = 0; sent < 3; sent += 1) await worker.publish('k7', sent);
    await eventually(() => {
      const { queues = [] } = watch.seen ?? {};
      const own = queues.filter(({ queue }) => queue.startsWith(prefix));
      assert.equal(own.length, 30);
      const paused = own.find(({ queue }) => queue === `${prefix}.q7`);
      assert.deepEqual(
        [paused?.length, paused?.paused, paused?.consumers, paused?.deadLetters],
        [3, true, 0, 0],
      );
      assert.deepEqual(
        own.filter((each) => each !== paused).map(({ length, consumers }) => [length, consumers]),
        Array(29).fill([0, 1]),
      );
    }, LONG);
  });

  it('knows what is bound to what, and which queues a key reaches, from workers alone and from the management API', async () => {
    const shop = bus()
      .handle('order.*', () => {}, {
        name: 'Ship',
        queue: { name: `${prefix}.ship`, lanes: ['high', 'default'] },
      })
      .handle('order.#', () => {}, { name: 'Audit', queue: `${prefix}.audit` });
    await shop.start();
    const watch = begin(api());
    await eventually(() => assert.ok((watch.seen?.queues.length ?? 0) >= 3), LONG);
    const parts = { names: new Names(prefix), watch, control };
    const events = `${prefix}.events`;
    const expected = (lane: string, pattern: string, queue: string, handler: string) => ({
      ...{ exchange: `${events}${lane}`, pattern, destination: `${prefix}.${queue}` },
      ...{ destinationKind: 'queue', handlers: [handler] },
    });
    const bindings = [
      expected('', 'order.#', 'audit', 'Audit'),
      expected('', 'order.*', 'ship', 'Ship'),
      expected('.lane.high', 'order.*', 'ship.high', 'Ship'),
    ];
    const sorted = <T extends { destination: string }>(all: readonly T[]) =>
      all
        .filter(({ destination }) => destination.startsWith(prefix))
        .toSorted((left, right) => left.destination.localeCompare(right.destination));
    const told = await topologyFacts({ ...parts, management: undefined });
    assert.deepEqual(sorted(told.bindings), bindings);
    assert.deepEqual(reach(told, events, 'order.placed').queues, [`${prefix}.audit`, `${prefix}.ship`]);
    assert.deepEqual(reach(told, `${events}.lane.high`, 'order.placed').queues, [`${prefix}.ship.high`]);
    await raw(managed.node, async (channel) => {
      await channel.assertExchange(`${prefix}.in`, 'fanout');
      await channel.bindExchange(events, `${prefix}.in`, '');
    });
    const facts = await topologyFacts({ ...parts, management: api() });
    const own = facts.bindings.filter(({ exchange }) => exchange.startsWith(events));
    assert.deepEqual(sorted(own), bindings);
    assert.deepEqual(reach(facts, `${prefix}.in`, 'order.placed.late').queues, [`${prefix}.audit`]);
    await raw(managed.node, (channel) => channel.deleteExchange(`${prefix}.in`));
  });

  it('tells of alerts while they last', async () => {
    const queue = `${prefix}.ship`;
    const worker = bus().handle('k', () => {}, { name: 'Ship', queue });
    await worker.start();
    await worker.stop();
    await raw(managed.node, async (channel) => {
      channel.sendToQueue(queue, Buffer.from('1'));
      await channel.waitForConfirms();
    });
    const watch = startWatch({
      ...{
        transport: transport(),
        prefix,
        queues: [queue],
        log: silentLogger,
        wait: '100ms',
        every: '300ms',
      },
      rules: [
        {
          ...{ measure: 'no_consumers', on: queue, limits: { critical: 0 }, forMs: 500, withinMs: 0 },
          ...{ atLeast: 1, clearAt: 0.8 },
        },
      ],
    });
    watches.push(watch);
    await eventually(() => {
      const [alert] = watch.alerts();
      assert.deepEqual(
        [alert?.measure, alert?.subject, alert?.severity],
        ['no_consumers', queue, 'critical'],
      );
    }, LONG);
    const again = bus().handle('k', () => {}, { name: 'Ship', queue });
    await again.start();
    await eventually(() => assert.deepEqual(watch.alerts(), []), LONG);
  });

  it("has doctor's findings of the queues that it sees, once a minute", async () => {
    const queue = `${prefix}.ship`;
    const worker = bus().handle('k', () => {}, { name: 'Ship', queue });
    await worker.start();
    const watch = begin();
    const examine = examination({
      ...{ transport: transport(), address: 'here', management: api() },
      ...{ prefix, delayPrefix: undefined, names: new Names(prefix), watch },
    });
    await eventually(() => assert.equal(watch.seen?.queues.length, 1), LONG);
    const findings = await examine();
    const consumers = findings.find(({ check }) => check === 'consumers');
    assert.deepEqual([consumers?.severity, consumers?.message], ['ok', 'each of 1 queue has consumers']);
    assert.equal(await examine(), findings);
  });

  it('says that an alarm keeps workers from being asked, and knows all else', async () => {
    const queue = `${prefix}.ship`;
    const worker = bus().handle('k', () => {}, { name: 'Ship', queue });
    await worker.start();
    const watch = begin(api());
    await eventually(() => assert.equal(watch.seen?.processes.length, 1), LONG);
    await managed.node.ctl(...ALARMS.disk.on);
    try {
      await eventually(() => {
        const { reached, silent = [], queues = [], broker } = watch.seen ?? {};
        assert.equal(reached, true);
        assert.match(silent.join(), /^the workers were not asked: the broker did not take the request/);
        assert.equal(queues.find((each) => each.queue === queue)?.length, 0);
        assert.deepEqual([broker?.blocked, broker?.nodes[0]?.diskAlarm], [true, true]);
      }, LONG);
    } finally {
      await managed.node.ctl(...ALARMS.disk.off);
    }
    await eventually(() => {
      const { processes, silent, broker } = watch.seen ?? {};
      assert.deepEqual([processes?.length, silent, broker?.blocked], [1, [], false]);
    }, LONG);
  });

  it('goes on when the broker comes back, and says meanwhile that it is away', async () => {
    const worker = bus().handle('k', () => {}, { name: 'Ship', queue: `${prefix}.ship` });
    await worker.start();
    const watch = begin(api());
    const seen: boolean[] = [];
    const end = watch.follow(({ reached }) => seen.push(reached));
    await eventually(() => assert.equal(watch.seen?.processes.length, 1), LONG);
    await managed.node.kill();
    await eventually(() => assert.equal(watch.seen?.reached, false), LONG);
    assert.equal(watch.seen?.processes.length, 1);
    assert.notDeepEqual(watch.seen?.silent, []);
    await managed.node.restart();
    await eventually(() => {
      const { reached, processes } = watch.seen ?? {};
      assert.deepEqual([reached, processes?.length], [true, 1]);
    }, LONG);
    end();
    assert.ok(seen.includes(true) && seen.includes(false));
  });
});
