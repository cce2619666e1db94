import assert from 'node:assert/strict';
import {
  ConnectError,
  NotStartedError,
  OutcomeUnknownError,
  PublishTimeoutError,
  StoppedError,
} from '../../src/index.js';
import { run } from '../examples/program.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { muteServer, TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, stopAll, through } from './fixture.js';

describe('connections', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('come back when an operator closes them all under load, and nothing is lost [row 1]', async () => {
    const { bus, seen } = faultBus(node.url);
    const ledger = new Ledger();
    bus.handle('load', ({ number }, { messageId }) => ledger.handled(number, messageId));
    await bus.start();
    const publishing = Promise.all(
      Array.from({ length: 2_000 }, (_, number) => ledger.publish(bus, 'load', number)),
    );
    await node.ctl('close_all_connections', 'test');
    await publishing;
    await eventually(() => ledger.missing === 0, { timeout: 20_000 });
    await ledger.publish(bus, 'load', 2_000);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
    const pauses = seen('connection.down').map(({ retryInMs }) => retryInMs);
    assert.ok(pauses.length >= 2);
    // The first of a backoff, less a jitter.
    for (const pauseMs of pauses.slice(0, 2)) assert.ok(pauseMs >= 75 && pauseMs <= 100, `${pauses}`);
  });

  it('that are cut while confirms are withheld leave no publish hanging and lose nothing [row 4]', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus } = faultBus(through(proxy, node));
    const ledger = new Ledger();
    bus.handle('load', ({ number }, { messageId }) => ledger.handled(number, messageId));
    await bus.start();
    proxy.drop('broker-to-client');
    const publishing = Promise.all(
      Array.from({ length: 100 }, (_, number) => ledger.publish(bus, 'load', number)),
    );
    // More than heartbeats: the broker has messages whose confirm never comes.
    await eventually(() => proxy.droppedBytes > 500);
    proxy.resume();
    proxy.reset();
    await publishing;
    await eventually(() => ledger.missing === 0);
    await eventually(() => assert.ok(ledger.assertBalanced().duplicated > 0, 'some were sent again'));
    assert.deepEqual(ledger.errors, []);
    await bus.stop();
    await proxy.close();
  });

  it('that go silent are noticed by their heartbeats, and what waited is sent over the next address [row 5]', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, seen } = faultBus([through(proxy, node), node.url]);
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number));
    await bus.start();
    proxy.stall('both');
    const publishing = ledger.publish(bus, 'load', 1);
    // Three heartbeats of a second, and a second for a busy machine.
    await eventually(() => assert.equal(seen('connection.down').length, 2), { timeout: 4_000 });
    await publishing;
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
    const addresses = seen('connection.up').map(({ address }) => address.split(':')[1]);
    assert.deepEqual(addresses, [proxy.port, proxy.port, node.port, node.port].map(String));
    proxy.resume();
    await eventually(() => assert.equal(proxy.connections, 0, 'the sockets were left open'));
    await bus.stop();
    await proxy.close();
  });

  it('try the next address when one accepts and never answers [row 6]', async () => {
    const mute = await muteServer();
    const { bus, seen } = faultBus([`amqp://guest:guest@127.0.0.1:${mute.port}`, node.url]);
    await bus.start();
    assert.ok(seen('connection.down').some(({ address }) => address === `127.0.0.1:${mute.port}`));
    await bus.publish('nobody.cares', {});
    await bus.stop();
    await mute.close();
  });

  it('that no broker answers fail start() at its deadline, and start() can be called again [row 7]', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { port } = proxy;
    await proxy.close();
    const { bus } = faultBus(`amqp://guest:guest@127.0.0.1:${port}`, { startDeadline: '500ms' });
    await assert.rejects(bus.start(), (error: ConnectError) => {
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, new RegExp(`127.0.0.1:${port}.*ECONNREFUSED`));
      return true;
    });
    await assert.rejects(bus.start(), ConnectError);
    await bus.stop();
  });

  it('that no broker answers yet are waited for, if that is asked for [row 7]', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    proxy.stall('both');
    const { bus } = faultBus(through(proxy, node), {
      startDeadline: Number.POSITIVE_INFINITY,
    });
    let started = false;
    const starting = bus.start().then(() => {
      started = true;
    });
    await eventually(() => proxy.connections > 0);
    await assert.rejects(bus.publish('nobody.cares', {}), NotStartedError);
    assert.equal(started, false);
    proxy.resume();
    await starting;
    await bus.publish('nobody.cares', {});
    await bus.stop();
    await proxy.close();
  });

  it('that the broker refuses do not keep a process alive until its deadline', async () => {
    const startedAt = performance.now();
    const amqpUrl = node.url.replace('guest:guest', 'guest:canary-Pa55');
    const { code, stdout, stderr } = await run('quick-start.js', { amqpUrl });
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 15_000, `${tookMs} ms, and the deadline is 30 s`);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /ConnectError: .*ACCESS_REFUSED/);
    assert.doesNotMatch(stderr, /canary/);
  });

  it('that never come up do not hold up stop(): the start is given up', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    proxy.stall('both');
    const refused = 'amqp://127.0.0.1:1';
    const mute = through(proxy, node);
    for (const url of [refused, mute]) {
      const { bus, seen } = faultBus(url, { startDeadline: Number.POSITIVE_INFINITY });
      bus.handle('k', () => {});
      const starting = bus.start();
      starting.catch(() => {});
      await eventually(() =>
        url === refused ? seen('connection.down').length > 0 : proxy.connections === 2,
      );
      const stoppedAt = performance.now();
      await bus.stop();
      const tookMs = performance.now() - stoppedAt;
      assert.ok(tookMs < 1_000, `${url} took ${tookMs} ms`);
      await assert.rejects(starting, StoppedError);
    }
    await proxy.close();
  });

  it('that are gone let a publish end at its deadline: unsent ones say that they were not sent', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, seen } = faultBus(through(proxy, node));
    await bus.start();
    proxy.stall('both');
    const written = bus.publish('nobody.cares', {}, { deadline: '500ms' });
    await assert.rejects(written, OutcomeUnknownError);
    proxy.reset();
    await eventually(() => seen('connection.down').length >= 2);
    await assert.rejects(bus.publish('nobody.cares', {}, { deadline: '200ms' }), PublishTimeoutError);
    await proxy.close();
  });
});
