import assert from 'node:assert/strict';
import type { MessageContext } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { deadLettersOf, faultBus, stopAll, through, uniqueName } from './fixture.js';

describe('chains', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('whose connections are cut between the confirm of a step and the ack of the one before repeat both, under the same ids', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    try {
      const prefix = uniqueName('prefix');
      const seen: { key: string; id: string | undefined; redelivered: boolean }[] = [];
      const see = (_payload: unknown, { routingKey, messageId, redelivered }: MessageContext) =>
        void seen.push({ key: routingKey, id: messageId, redelivered });
      const later = faultBus(node.url, { prefix });
      later.bus.handle('b', see).handle('c', see);
      await later.bus.start();
      const first = faultBus(through(proxy, node), { prefix });
      first.bus.handle('a', see);
      let cuts = 0;
      first.bus.on('message.confirmed', ({ routingKey }) => {
        if (routingKey !== 'b' || cuts > 0) return;
        cuts += 1;
        proxy.reset();
      });
      await first.bus.start();
      const chain = later.bus.chain(['a', 'b', 'c'].map((key) => ({ key, payload: key })));
      await chain.dispatch();
      await eventually(() => assert.equal(seen.filter(({ key }) => key === 'c').length, 2));
      assert.equal(cuts, 1);
      const of = (key: string) => seen.filter((each) => each.key === key);
      assert.deepEqual(of('a'), [
        { key: 'a', id: chain.id, redelivered: false },
        { key: 'a', id: chain.id, redelivered: true },
      ]);
      for (const key of ['b', 'c']) {
        const ids = of(key).map(({ id }) => id);
        assert.equal(ids.length, 2, key);
        assert.equal(new Set(ids).size, 1, key);
      }
      assert.equal(seen.length, 6);
    } finally {
      await stopAll();
      await proxy.close();
    }
  });

  it('hold a step whose next one can not be sent for an alarm: its handler does not run again, and the chain goes on after it', async () => {
    const { bus, log, seen } = faultBus(node.url, { publishDeadline: '500ms' });
    const handled: string[] = [];
    const gate = deferred();
    bus.handle('a', async () => {
      handled.push('a');
      await gate.promise;
    });
    bus.handle('b', () => void handled.push('b'));
    await bus.start();
    await bus.chain(['a', 'b'].map((key) => ({ key, payload: key }))).dispatch();
    await eventually(() => assert.deepEqual(handled, ['a']));
    await node.ctl(...ALARMS.memory.on);
    try {
      // The broker blocks who publishes, and may still confirm what comes before it has.
      await eventually(() => assert.rejects(bus.publish('nobody.cares', {})));
      await eventually(() => seen('connection.blocked').length > 0);
      gate.resolve();
      await eventually(() =>
        assert.ok(log.some((line) => line.includes('next step of a chain cannot be published'))),
      );
      assert.deepEqual(handled, ['a']);
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
    await eventually(() => assert.deepEqual(handled, ['a', 'b']));
    assert.deepEqual(seen('message.deadLettered'), []);
  });

  it('are broken by a step that the service has no right to send, and hold nothing up for it', async () => {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const user = uniqueName('user');
    await node.ctl('add_user', user, 'secret');
    const declaring = faultBus(node.url, { prefix });
    declaring.bus.handle('a', () => {}, { queue });
    await declaring.bus.start();
    await declaring.bus.stop();
    await node.ctl('set_permissions', user, '^$', `^(${prefix}\\.(dead|events)|.*delay.*)$`, '.*');
    const handled: number[] = [];
    const least = node.url.replace(/\/\/[^@]*@/, `//${user}:secret@`);
    const narrow = faultBus(least, { prefix, topology: 'none', operatorControl: false });
    narrow.bus.handle('a', (payload: number) => void handled.push(payload), { queue });
    await narrow.bus.start();
    const exchange = uniqueName('forbidden');
    const wide = faultBus(node.url, { prefix });
    await wide.bus.start();
    await wide.bus.publish('any', {}, { exchange });
    await wide.bus
      .chain([
        { key: 'a', payload: 1 },
        { key: 'b', payload: 1, exchange },
      ])
      .dispatch();
    await wide.bus.send('a', 2);
    await eventually(() => assert.deepEqual(handled, [1, 2]));
    await eventually(async () => assert.equal(await deadLettersOf(node, queue), 1));
    const [event] = narrow.seen('message.deadLettered');
    assert.equal(event?.reason, 'chain-broken');
    assert.match(String(event?.error), /PublishRejectedError/);
  });
});
