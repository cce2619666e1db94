import assert from 'node:assert/strict';
import { type Bus, type BusHealth, rabbitmq } from '../../src/index.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

const CANARY = 'canary-Pa55';

describe('health', function () {
  this.timeout(90_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('is red while connections are closed and silent, with the reason, and ready again by itself [rows 1, 5]', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, seen } = faultBus(node.url.replace(`:${node.port}`, `:${proxy.port}`));
    bus.handle('k', () => {}, { queue: uniqueName('queue') });
    await bus.start();
    await ready(bus);
    const closed = red(bus, () => node.ctl('close_all_connections', 'an operator closes them'));
    for (const { reasons } of await closed)
      assert.match(reasons[0] ?? '', /^the .* connection to 127\.0\.0\.1/);
    await ready(bus);

    proxy.stall('both');
    await eventually(() => assert.deepEqual(states(bus), ['down', 'down']), { timeout: 20_000 });
    const { live, reasons, consumers } = answer(bus);
    assert.ok(live);
    assert.match(reasons.join('\n'), /^the publishing connection .* has been down since .*\nthe consuming/);
    assert.equal(reasons.length, 2, 'a reason for each queue that is lost with its connection');
    assert.deepEqual(
      consumers.map(({ state }) => state),
      ['lost'],
    );
    const [before] = bus.health().connections;
    const tries = seen('connection.down').length;
    await eventually(() => assert.ok(seen('connection.down').length > tries), { timeout: 20_000 });
    assert.equal(bus.health().connections[0]?.since, before?.since, 'since its loss, not since the last try');
    proxy.resume();
    await ready(bus);
    await bus.stop();
    await proxy.close();
  });

  it('is red while an alarm blocks publishing, with the words of the broker; a bus that comes later knows it, too [row 11]', async () => {
    const transport = rabbitmq({ url: node.url });
    const { bus } = faultBus(node.url, { transport });
    bus.handle('k', () => {}, { queue: uniqueName('queue') });
    await bus.start();
    await ready(bus);
    await node.ctl(...ALARMS.memory.on);
    try {
      // The broker blocks a connection when it next publishes.
      const waiting = bus.publish('nobody.cares', {});
      await eventually(() => assert.deepEqual(states(bus), ['blocked', 'up']));
      const { live, reasons, consumers } = answer(bus);
      assert.ok(live);
      assert.equal(reasons.length, 1);
      assert.match(
        reasons[0] ?? '',
        /^the publishing connection .* blocked by the broker since .*: low on memory$/,
      );
      assert.deepEqual(
        consumers.map(({ state }) => state),
        ['consuming'],
      );
      const second = faultBus(node.url, { transport, startDeadline: '2s' }).bus.handle('k', () => {});
      const starting = second.start().catch(() => {});
      await eventually(() => assert.deepEqual(states(second), ['blocked', 'up']));
      await node.ctl(...ALARMS.memory.off);
      await waiting;
      await ready(bus);
      await starting;
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
  });

  it('is red with the queue and the missing right while a deleted queue may not be declared again [rows 9, 13]', async () => {
    const user = uniqueName('user');
    await node.ctl('add_user', user, CANARY);
    await node.ctl('set_permissions', user, '.*', '.*', '.*');
    try {
      const { bus, log } = faultBus(node.url.replace('guest:guest', `${user}:${CANARY}`));
      const [lost, kept] = [uniqueName('lost'), uniqueName('kept')];
      bus.handle('a', () => {}, { queue: lost }).handle('b', () => {}, { queue: kept });
      await bus.start();
      await ready(bus);
      await node.ctl('set_permissions', user, '^$', '.*', '.*');
      await raw(node, (channel) => channel.deleteQueue(lost));
      const state = (queue: string) => bus.health().consumers.find((each) => each.queue === queue)?.state;
      await eventually(() => assert.equal(state(lost), 'failed'), { timeout: 30_000 });
      const { live, reasons } = answer(bus);
      assert.ok(live);
      assert.equal(reasons.length, 1);
      assert.match(
        reasons[0] ?? '',
        new RegExp(`^queue '${lost}' .* can't be: .*permission to configure on '${lost}'`),
      );
      assert.equal(state(kept), 'consuming');
      await node.ctl('set_permissions', user, '.*', '.*', '.*');
      await ready(bus, 40_000);
      assert.doesNotMatch(log.join('\n'), new RegExp(CANARY));
    } finally {
      await node.ctl('delete_user', user);
    }
  });

  it('is red as long as the broker refuses the credentials, names no password, and is ready with fresh ones [row 8]', async () => {
    const user = uniqueName('user');
    const passwords = { given: `${CANARY}-old`, right: `${CANARY}-new` };
    await node.ctl('add_user', user, passwords.given);
    await node.ctl('set_permissions', user, '.*', '.*', '.*');
    try {
      const url = () => node.url.replace('guest:guest', `${user}:${passwords.given}`);
      const { bus, log, events } = faultBus(node.url, { transport: rabbitmq({ url, heartbeat: '1s' }) });
      bus.handle('k', () => {}, { queue: uniqueName('queue') });
      await bus.start();
      await ready(bus);
      await node.ctl('change_password', user, passwords.right);
      await node.ctl('close_all_connections', 'the password was changed');
      await eventually(() => assert.deepEqual(states(bus), ['refused', 'refused']));
      const health = answer(bus);
      assert.ok(health.live, 'a restart brings no credentials');
      assert.match(health.reasons[0] ?? '', /has been refused by the broker since .*ACCESS[-_]REFUSED/);
      passwords.given = passwords.right;
      await ready(bus, 60_000);
      const told = JSON.stringify([
        health,
        bus.health(),
        log,
        events,
        events.map(({ event }) => inText(event)),
      ]);
      assert.doesNotMatch(told, new RegExp(CANARY));
    } finally {
      await node.ctl('delete_user', user);
    }
  });
});

/** What a probe would send; red has a reason, and green none. */
function answer(bus: Bus): BusHealth {
  const health = bus.health();
  assert.deepEqual(JSON.parse(JSON.stringify(health)), health);
  assert.equal(health.ready, health.reasons.length === 0);
  return health;
}

/** Of the publishing and the consuming connection. */
function states(bus: Bus): string[] {
  return answer(bus).connections.map(({ state }) => state);
}

async function ready(bus: Bus, timeout = 30_000): Promise<void> {
  await eventually(() => assert.deepEqual(answer(bus).reasons, []), { timeout });
}

/** What health says in the moment of each event that makes it red, until `stage` has done its work. */
async function red(bus: Bus, stage: () => Promise<unknown>): Promise<BusHealth[]> {
  const told: BusHealth[] = [];
  const end = bus.on('connection.down', () => told.push(answer(bus)));
  await stage();
  await eventually(() => assert.ok(told.length >= 2));
  end();
  assert.ok(told.every(({ live, ready: isReady }) => live && !isReady));
  return told;
}

/** Errors are nothing to JSON. */
function inText(event: object): string {
  return Object.values(event)
    .map((value) =>
      value instanceof Error ? `${value.message} ${value.stack} ${value.cause}` : String(value),
    )
    .join(' ');
}
