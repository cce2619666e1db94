import assert from 'node:assert/strict';
import {
  type Bus,
  defineRequest,
  NoResponderError,
  PublishRejectedError,
  RequestLostError,
  RequestTimeoutError,
} from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';
import { type Asked, Double, RawResponder } from './raw-responder.js';

describe('requests that the broker refuses', function () {
  this.timeout(120_000);
  let node: PrivateNode;
  const responders: RawResponder[] = [];
  const users: string[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    await stopAll();
    await Promise.all(responders.splice(0).map((each) => each.stop()));
    for (const user of users.splice(0)) await node.ctl('delete_user', user);
  });

  const respond = async (exchange: string, onAsked?: (asked: Asked) => void) => {
    const responder = await RawResponder.start(node, exchange, onAsked);
    responders.push(responder);
    return responder;
  };

  /** The URL of a user who may write to exchanges that don't begin with "closed", with the keys that begin with "number". */
  const urlOfUser = async (exchange: string) => {
    const user = uniqueName('user');
    users.push(user);
    await raw(node, (channel) => channel.assertExchange(exchange, 'topic', { durable: true }));
    await node.ctl('add_user', user, 'password');
    await node.ctl('set_permissions', user, '.*', '^(?!closed-).*$', '.*');
    await node.ctl('set_topic_permissions', user, exchange, '^number', '.*');
    return node.url.replace(/\/\/[^@]*@/, `//${user}:password@`);
  };

  /** For channels that are opened from now on. Where the broker keeps the limit depends on its version. */
  const limitMessages = (bytes: number) =>
    node.ctl(
      'eval',
      `application:set_env(rabbit, max_message_size, ${bytes}), persistent_term:put(max_message_size, ${bytes}).`,
    );

  /** Asks what is refused while others wait: each of these, which may be asked again, gets its reply. */
  const costsOthersNothing = async (bus: Bus, exchange: string, ask: () => Promise<unknown>) => {
    const waiting: Asked[] = [];
    let isOpen = false;
    await respond(exchange, (asked) => {
      if (isOpen) asked.reply();
      else waiting.push(asked);
    });
    const others = Array.from({ length: 8 }, (_, number) =>
      bus.request(Double, number, { timeout: '20s', repeatable: true }),
    );
    await eventually(() => assert.equal(waiting.length, 8));
    isOpen = true;
    await assert.rejects(ask(), PublishRejectedError);
    assert.deepEqual(
      await Promise.all(others),
      others.map((_, number) => number * 2),
    );
  };

  it('for their topic end with the reason, are not asked again, and the next is refused without a channel', async () => {
    const prefix = uniqueName('prefix');
    const exchange = `${prefix}.events`;
    const { bus, seen } = faultBus(await urlOfUser(exchange), { prefix });
    await bus.start();
    const Bad = defineRequest<null, null>('bad.key');
    const ask = () => bus.request(Bad, null, { timeout: '20s', repeatable: true });
    await costsOthersNothing(bus, exchange, ask);
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof PublishRejectedError);
      assert.match(error.message, /access to topic 'bad\.key'/);
      assert.match(error.help, /and to this routing key if it has topic permissions there/);
      return true;
    });
    assert.equal(await bus.request(Double, 21), 42);
    assert.equal(seen('channel.reopened').length, 1);
  });

  it('for their size end with the reason, and are not asked again', async () => {
    const prefix = uniqueName('prefix');
    const { bus, seen } = faultBus(node.url, { prefix });
    const Big = defineRequest<string, null>('big.one');
    await limitMessages(2_000);
    try {
      await bus.start();
      await costsOthersNothing(bus, `${prefix}.events`, () =>
        bus.request(Big, 'x'.repeat(3_000), { timeout: '20s', repeatable: true }),
      );
      await eventually(() => assert.equal(seen('channel.reopened').length, 1));
    } finally {
      await limitMessages(134_217_728);
    }
  });

  it('without being named are found: what is asked again is asked one after the other', async () => {
    const prefix = uniqueName('prefix');
    const exchange = `${prefix}.events`;
    const { bus, seen } = faultBus(await urlOfUser(exchange), { prefix });
    await bus.start();
    // The broker's words end within the key.
    const Long = defineRequest<null, null>(`bad.${'x'.repeat(240)}`);
    await costsOthersNothing(bus, exchange, () =>
      bus.request(Long, null, { timeout: '20s', repeatable: true }),
    );
    await eventually(() => assert.equal(seen('channel.reopened').length, 2));
    const fresh = Array.from({ length: 100 }, (_, number) => bus.request(Double, number));
    assert.equal((await Promise.all(fresh)).length, 100);
  });

  it('take those that can not be repeated with them, which say that it was the channel', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(await urlOfUser(`${prefix}.events`), { prefix });
    await bus.start();
    const { asked } = await respond(`${prefix}.events`, () => {});
    const lost = assert.rejects(bus.request(Double, 1), (error) => {
      assert.ok(error instanceof RequestLostError);
      assert.match(
        error.message,
        /^the channel was lost to which the reply to 'number\.double' would have come$/,
      );
      assert.match(String(error.cause), /bad\.key/);
      return true;
    });
    await eventually(() => assert.equal(asked.length, 1));
    await assert.rejects(bus.request(defineRequest<null, null>('bad.key'), null), PublishRejectedError);
    await lost;
  });

  it('say so at each call, and one that waits for the next channel says what it waits for', async () => {
    const prefix = uniqueName('prefix');
    const closed = { name: uniqueName('closed'), declare: false } as const;
    await raw(node, (channel) => channel.assertExchange(closed.name, 'topic'));
    const { bus, seen } = faultBus(await urlOfUser(`${prefix}.events`), { prefix });
    await bus.start();
    await respond(`${prefix}.events`);
    assert.equal(await bus.request(Double, 1), 2);
    const ask = () => assert.rejects(bus.request(Double, 1, { exchange: closed }), PublishRejectedError);
    await ask();
    await assert.rejects(bus.request(Double, 2, { timeout: '10ms' }), (error) => {
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(error.wasSent, false);
      assert.match(
        error.message,
        /the channel for the replies is being opened again after: .*ACCESS_REFUSED/,
      );
      return true;
    });
    assert.equal(await bus.request(Double, 3), 6);
    await ask();
    assert.equal(seen('channel.reopened').length, 1);
  });

  it('since their exchange is gone cost others one channel, however long they are asked, and none once it is back', async () => {
    const prefix = uniqueName('prefix');
    const gone = { name: uniqueName('foreign'), declare: false } as const;
    const { bus, seen } = faultBus(node.url, { prefix });
    await raw(node, (channel) => channel.assertExchange(gone.name, 'topic'));
    await bus.start();
    await respond(`${prefix}.events`);
    await assert.rejects(bus.request(Double, 1, { exchange: gone }), NoResponderError);
    await raw(node, (channel) => channel.deleteExchange(gone.name));
    await assert.rejects(bus.request(Double, 1, { exchange: gone }), NoResponderError);
    assert.equal(await bus.request(Double, 2), 4);
    const endsAt = performance.now() + 4_000;
    while (performance.now() < endsAt) {
      await assert.rejects(bus.request(Double, 1, { exchange: gone }), NoResponderError);
      assert.equal(await bus.request(Double, 2), 4);
    }
    await raw(node, (channel) => channel.assertExchange(gone.name, 'topic'));
    await respond(gone.name);
    assert.equal(await eventually(() => bus.request(Double, 3, { exchange: gone }), { timeout: 10_000 }), 6);
    assert.deepEqual(
      seen('channel.reopened').map(({ channel }) => channel),
      ['requests'],
    );
  });

  it('or nobody takes, when they are asked again, are lost: somebody may have handled them before', async () => {
    const prefix = uniqueName('prefix');
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    try {
      const { bus } = faultBus(through(proxy, node), { prefix });
      await bus.start();
      const responder = await respond(`${prefix}.events`, () => {});
      const startedAt = performance.now();
      const lost = assert.rejects(bus.request(Double, 1, { timeout: '3s', repeatable: true }), (error) => {
        assert.ok(error instanceof RequestLostError);
        assert.ok(error.cause instanceof NoResponderError);
        assert.ok(performance.now() - startedAt > 2_950);
        return true;
      });
      await eventually(() => assert.equal(responder.asked.length, 1));
      await responder.stop();
      proxy.reset();
      await lost;
    } finally {
      await proxy.close();
    }
  });
});
