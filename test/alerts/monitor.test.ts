import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Bus, type BusOptions, rabbitmq } from '../../src/index.js';
import { Management } from '../../src/oversight/management/management.js';
import { delayAddress } from '../../src/topology/delays.js';
import { Names } from '../../src/topology/names.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { Command, hopline } from '../cli/command.js';
import { type ManagedNode, ownManagedNode } from '../cli/managed-node.js';
import { raw } from '../faults/fixture.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, SOON_AFTER_A_DEATH } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { Told } from './told.js';

describe('alerts of `hopline monitor` fire and clear, through webhook and bus', function () {
  this.timeout(180_000);
  let managed: ManagedNode;
  let directory: string;
  let prefix: string;
  let queue: string;
  let told: Told;
  let buses: Bus[];
  let monitors: Command[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await ownManagedNode({ advanced: SOON_AFTER_A_DEATH });
    directory = await mkdtemp(join(tmpdir(), 'hopline-monitor-'));
  });

  after(async () => {
    await managed?.node.stop();
    await rm(directory, { recursive: true });
  });

  beforeEach(async () => {
    prefix = `alerts-${randomBytes(4).toString('hex')}`;
    queue = `${prefix}.work`;
    buses = [];
    monitors = [];
    told = await Told.start(managed.node.url, prefix);
  });

  afterEach(async () => {
    for (const { child } of monitors) child.kill('SIGTERM');
    const ended = await Promise.all(monitors.map((monitor) => monitor.ended));
    await Promise.all(buses.map((bus) => bus.stop({ cancel: true }).catch(() => {})));
    await told.stop();
    await raw(managed.node, (channel) => channel.deleteQueue(queue));
    assert.deepEqual(
      ended.map(({ code, stderr }) => [code, stderr]),
      ended.map(() => [0, '']),
    );
  });

  function worker(handle: (payload: unknown) => unknown, options: Partial<BusOptions> = {}): Bus {
    const transport = rabbitmq({ url: managed.node.url });
    const bus = new Bus({
      service: prefix,
      prefix,
      transport,
      failureLog: false,
      log: silentLogger,
      ...options,
    });
    buses.push(bus);
    return bus.handle('work', handle, { queue, name: 'Work', retry: { tries: 1 } });
  }

  /** Begins to look once its first line is there. */
  async function monitor(...rules: string[]): Promise<Command> {
    const file = join(directory, `${prefix}.json`);
    const webhooks = [{ url: told.receiver.url }];
    await writeFile(
      file,
      JSON.stringify({ rules, defaults: false, every: '200ms', publish: true, webhooks }),
    );
    const command = new Command(['monitor', '--rules', file, '--prefix', prefix, '--wait', '300ms'], {
      url: managed.node.url,
      env: { MANAGEMENT_URL: managed.managementUrl },
    });
    monitors.push(command);
    await eventually(() => command.stdout.includes('monitoring'));
    return command;
  }

  const publish = async (bus: Bus, count: number, payload: unknown = 1) => {
    for (let number = 0; number < count; number += 1) await bus.publish('work', payload);
  };

  /** Messages in a queue that nobody consumes. */
  const waiting = (name: string, count: number) =>
    raw(managed.node, async (channel) => {
      await channel.assertQueue(name, { durable: true });
      for (let number = 0; number < count; number += 1) channel.sendToQueue(name, Buffer.from('1'));
      await channel.waitForConfirms();
    });

  /** Waits for an alert, and checks that the looks which led to it led to no other. */
  async function tellsOnlyOf(id: string): Promise<void> {
    await eventually(() => told.receiver.alerts.length > 0, { timeout: 60_000 });
    assert.deepEqual(
      told.receiver.alerts.map((alert) => alert.id),
      [id],
    );
  }

  it('the length of a queue, and the time to clear it while it grows', async () => {
    let gate = deferred();
    const bus = worker(() => gate.promise, { concurrency: 1 });
    await bus.start();
    await monitor(`queue_length > 20 for 0s on ${queue}`, `time_to_clear > 5s within 2s for 0s on ${queue}`);
    // More and more, until it is seen.
    const growing = new AbortController();
    const grow = (async () => {
      while (!growing.signal.aborted) {
        await publish(bus, 10);
        await pause(100);
      }
    })();
    await told.fires(`queue_length ${queue}`);
    await told.fires(`time_to_clear ${queue}`);
    growing.abort();
    await grow;
    gate.resolve();
    gate = { ...gate, promise: Promise.resolve() };
    await told.clears(`time_to_clear ${queue}`);
    await told.clears(`queue_length ${queue}`);
  });

  it('no consumers, but not of a queue that an operator has paused', async () => {
    const bus = worker(() => {});
    await bus.start();
    const control = ['--prefix', prefix];
    const { url } = managed.node;
    assert.equal((await hopline(['pause', queue, ...control], { url })).code, 0);
    await publish(bus, 3);
    const other = `other-${queue}`;
    await waiting(other, 1);
    await monitor(`no_consumers > 1s critical on *${queue}`);
    await tellsOnlyOf(`no_consumers ${other}`);
    await raw(managed.node, (channel) => channel.deleteQueue(other));
    await bus.stop();
    assert.equal((await hopline(['resume', queue, ...control], { url })).code, 0);
    await told.fires(`no_consumers ${queue}`);
    await worker(() => {}).start();
    await told.clears(`no_consumers ${queue}`);
  });

  it('waits beyond their target, and slots that are busy while waits rise', async () => {
    const bus = worker((ms) => pause(Number(ms)), { concurrency: 2 });
    await bus.start();
    await monitor(`wait_p95 > 500ms for 0s on ${queue}`, `busy_slots > 90% within 2s for 0s on ${queue}`);
    await publish(bus, 40, 100);
    await told.fires(`wait_p95 ${queue}`);
    await told.fires(`busy_slots ${queue}`);
    await told.clears(`busy_slots ${queue}`);
    // Many that don't wait make those that did few.
    for (let round = 0; round < 200; round += 1) {
      await publish(bus, 5, 0);
      await pause(10);
    }
    await told.clears(`wait_p95 ${queue}`);
  });

  it('dead letters of any process, and messages that no queue took when they were due', async () => {
    const bus = worker(() => {
      throw new Error('no');
    });
    await bus.start();
    await monitor(`dead_letters > 0 within 2s on ${queue}`, 'lost_delayed > 0');
    // What is there at the first look is not new.
    const failing = new AbortController();
    const fail = (async () => {
      while (!failing.signal.aborted) {
        await publish(bus, 1);
        await pause(300);
      }
    })();
    await told.fires(`dead_letters ${queue}`);
    failing.abort();
    await fail;
    const names = new Names(prefix);
    const { exchange, routingKey } = delayAddress(names, 100, 'q', `${prefix}.nobody`);
    await raw(managed.node, async (channel) => {
      channel.publish(exchange, routingKey, Buffer.from('1'));
      await channel.waitForConfirms();
    });
    await told.fires('lost_delayed broker');
    await told.clears(`dead_letters ${queue}`);
    await raw(managed.node, (channel) => channel.purgeQueue(names.delayLost));
    await told.clears('lost_delayed broker');
  });

  it('a level of the delays that gets rid of nothing', async () => {
    const names = new Names(prefix);
    const full = `${prefix}.full`;
    await worker(() => {}).start();
    await raw(managed.node, async (channel) => {
      await channel.assertQueue(full, {
        arguments: { 'x-queue-type': 'quorum', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
      });
      await channel.bindQueue(full, names.delayOut, `*.*.*.*.*.*.q.${full}`);
      // A quorum queue takes somewhat more than its limit.
      for (let taken = true; taken; ) {
        channel.sendToQueue(full, Buffer.from('1'));
        taken = await channel.waitForConfirms().then(
          () => true,
          () => false,
        );
      }
    });
    try {
      await monitor('overdue_delay > 2s');
      const { exchange, routingKey } = delayAddress(names, 100, 'q', full);
      await raw(managed.node, async (channel) => {
        channel.publish(exchange, routingKey, Buffer.from('2'));
        await channel.waitForConfirms();
      });
      await told.fires(`overdue_delay ${names.delay}.t1`);
      await raw(managed.node, (channel) => channel.purgeQueue(full));
      await told.clears(`overdue_delay ${names.delay}.t1`);
    } finally {
      await raw(managed.node, (channel) => channel.deleteQueue(full));
    }
  });

  it('a disk that is nearly full, and a broker that blocks', async () => {
    await worker(() => {}).start();
    const management = new Management(managed.managementUrl, '/');
    await monitor('near_alarm > 80% warning', 'blocked > 1s critical');
    const { node } = managed;
    try {
      const [{ diskShare = 1 } = {}] = await management.nodes();
      const free = (50 * 1_000_000) / diskShare;
      await node.ctl('set_disk_free_limit', `${Math.round((free * 0.9) / 1_000_000)}MB`);
      await told.fires('near_alarm broker');
      await node.ctl(...ALARMS.disk.off);
      await told.clears('near_alarm broker');
      await node.ctl(...ALARMS.memory.on);
      await eventually(
        () => told.receiver.alerts.some(({ id, state }) => id === 'blocked broker' && state === 'fired'),
        {
          timeout: 60_000,
        },
      );
      await node.ctl(...ALARMS.memory.off);
      await told.clears('blocked broker', 'the last at least');
    } finally {
      await node.ctl(...ALARMS.disk.off);
      await node.ctl(...ALARMS.memory.off);
    }
  });

  it('a broker that is away', async () => {
    await worker(() => {}).start();
    await monitor('unreachable > 1s critical');
    await managed.node.shutDown();
    await eventually(() => told.receiver.alerts.some(({ id }) => id === 'unreachable broker'), {
      timeout: 60_000,
    });
    await managed.node.boot();
    await told.clears('unreachable broker', 'the last at least');
  });

  it('are silenced and acknowledged over the bus', async () => {
    const bus = worker(() => {});
    await bus.start();
    await hopline(['pause', queue, '--prefix', prefix], { url: managed.node.url });
    const command = await monitor(`queue_length > 2 for 0s on *${queue}`);
    const told1 = await hopline(['monitor', 'silence', `${prefix}*`, '--for', '1h', '--prefix', prefix], {
      url: managed.node.url,
    });
    assert.match(told1.stdout, /^hopline-monitor on .*: silent\n$/);
    await publish(bus, 5);
    const other = `other-${queue}`;
    await waiting(other, 3);
    await tellsOnlyOf(`queue_length ${other}`);
    await raw(managed.node, (channel) => channel.deleteQueue(other));
    const told2 = await hopline(['monitor', 'ack', `${prefix}*`, '--prefix', prefix], {
      url: managed.node.url,
    });
    assert.match(told2.stdout, new RegExp(`^hopline-monitor on .*: queue_length ${queue}\n$`));
    assert.match(command.stdout, /an operator has asked for less to be told/);
    await hopline(['monitor', 'silence', `${prefix}*`, '--for', '0s', '--prefix', prefix], {
      url: managed.node.url,
    });
    await hopline(['resume', queue, '--prefix', prefix], { url: managed.node.url });
  });
});
