import assert from 'node:assert/strict';
import {
  type Bus,
  NoResponderError,
  PublishRejectedError,
  RequestLostError,
  type RequestOptions,
  RequestTimeoutError,
} from '../../src/index.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, raw, stopAll, through, uniqueName } from './fixture.js';
import { type Asked, Double, RawResponder } from './raw-responder.js';

describe('requests', function () {
  this.timeout(120_000);
  let node: PrivateNode;
  const responders: RawResponder[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    for (const { off } of Object.values(ALARMS)) await node.ctl(...off);
    await stopAll();
    await Promise.all(responders.splice(0).map((each) => each.stop()));
  });

  const respond = async (exchange: string, onAsked?: (asked: Asked) => void) => {
    const responder = await RawResponder.start(node, exchange, onAsked);
    responders.push(responder);
    return responder;
  };

  /** Asks for so many numbers at once; counts how often each has ended, and how. */
  const askAll = (bus: Bus, count: number, options: RequestOptions) => {
    const ends = new Map<number, string[]>();
    const asking = Array.from({ length: count }, async (_, number) => {
      const end = await bus.request(Double, number, options).then(
        (double) => (double === number * 2 ? 'replied' : `wrong: ${double}`),
        (error: Error) => error.name,
      );
      ends.set(number, [...(ends.get(number) ?? []), end]);
    });
    const told = () => {
      const all = [...ends.values()];
      assert.ok(all.every(({ length }) => length === 1));
      return Object.fromEntries(
        [...new Set(all.flat())].map((end) => [end, all.flat().filter((each) => each === end).length]),
      );
    };
    return { asked: Promise.all(asking), told };
  };

  for (const repeatable of [false, true]) {
    const title = repeatable
      ? 'that may be repeated are all replied to, 10,000 of them, though the connection is cut in their middle'
      : 'end once each, 10,000 of them, with a reply or as lost, when the connection is cut in their middle';
    it(title, async () => {
      const count = 10_000;
      const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
      try {
        const prefix = uniqueName('prefix');
        const { bus, seen } = faultBus(through(proxy, node), { prefix });
        await bus.start();
        const events: string[] = [];
        for (const name of ['request.replied', 'request.failed'] as const)
          bus.on(name, () => void events.push(name));
        let isCut = false;
        const responder = await respond(`${prefix}.events`, ({ number, reply }) => {
          // Before the cut a half of them, so that there is something to lose.
          if (isCut || number % 2 === 0) reply();
        });
        const { asked, told } = askAll(bus, count, { timeout: '60s', repeatable });
        await eventually(() => responder.asked.length > count / 2, { timeout: 60_000 });
        isCut = true;
        proxy.reset();
        await asked;
        const ends = told();
        if (repeatable) assert.deepEqual(ends, { replied: count });
        else {
          assert.deepEqual(Object.keys(ends).toSorted(), ['RequestLostError', 'replied']);
          assert.ok(
            (ends.replied as number) > 0 && (ends.RequestLostError as number) > 0,
            JSON.stringify(ends),
          );
          assert.equal((ends.replied as number) + (ends.RequestLostError as number), count);
        }
        await eventually(() => assert.equal(events.length, count));
        assert.ok(seen('connection.down').length > 0);
        assert.equal(await bus.request(Double, 21), 42);
      } finally {
        await proxy.close();
      }
    });
  }

  it('are lost with the broker, and asked again when it is back if they may be', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    await bus.start();
    const responder = await respond(`${prefix}.events`, () => {});
    const lost = bus.request(Double, 1, { timeout: '60s' });
    const again = bus.request(Double, 2, { timeout: '60s', repeatable: true });
    const ended = assert.rejects(lost, (error) => {
      assert.ok(error instanceof RequestLostError);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    await eventually(() => assert.equal(responder.asked.length, 2));
    const restarted = node.restart();
    await ended;
    const unsent = assert.rejects(bus.request(Double, 3, { timeout: '100ms' }), (error) => {
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(error.wasSent, false);
      assert.match(error.message, /it was not sent: there is no connection to the broker/);
      return true;
    });
    await unsent;
    await restarted;
    // It is asked again before anybody is there to reply.
    await eventually(async () => {
      const end = await bus.request(Double, 4).catch((error: unknown) => error);
      assert.ok(end instanceof NoResponderError);
    });
    await respond(`${prefix}.events`);
    assert.equal(await again, 4);
    assert.equal(await bus.request(Double, 5), 10);
  });

  it('say that the broker blocks publishers when they time out in an alarm, and go on after it', async () => {
    const prefix = uniqueName('prefix');
    const { bus, seen } = faultBus(node.url, { prefix });
    await bus.start();
    await respond(`${prefix}.events`);
    assert.equal(await bus.request(Double, 1), 2);
    await node.ctl(...ALARMS.memory.on);
    const blocked = /the broker blocks publishers \(a memory or disk alarm\)/;
    // The broker blocks a connection when it publishes after the alarm has reached it, which is after the command has ended.
    await eventually(async () => {
      const end = await bus.request(Double, 2, { timeout: '500ms' }).catch((error: unknown) => error);
      assert.ok(end instanceof RequestTimeoutError);
      assert.match(end.message, blocked);
    });
    assert.equal(seen('connection.blocked').length, 1);
    await assert.rejects(bus.request(Double, 3, { timeout: '200ms' }), (error) => {
      assert.ok(error instanceof RequestTimeoutError);
      assert.equal(error.wasSent, false);
      assert.match(error.message, blocked);
      return true;
    });
    const after = bus.request(Double, 4, { timeout: '30s' });
    await node.ctl(...ALARMS.memory.off);
    assert.equal(await after, 8);
  });

  it('to an exchange that somebody deletes find nobody, and cost others no more than one channel', async () => {
    const prefix = uniqueName('prefix');
    const { bus, seen } = faultBus(node.url, { prefix });
    const gone = { name: uniqueName('foreign'), declare: false } as const;
    await raw(node, (channel) => channel.assertExchange(gone.name, 'topic'));
    await bus.start();
    const responder = await respond(`${prefix}.events`, ({ number, reply }) => {
      if (number !== 1) reply();
    });
    await assert.rejects(bus.request(Double, 0, { exchange: gone }), NoResponderError);
    const waiting = assert.rejects(bus.request(Double, 1), RequestLostError);
    await eventually(() => responder.asked.some(({ number }) => number === 1));
    await raw(node, (channel) => channel.deleteExchange(gone.name));
    const refused = Array.from({ length: 20 }, () =>
      assert.rejects(bus.request(Double, 2, { exchange: gone }), NoResponderError),
    );
    await Promise.all([waiting, ...refused]);
    assert.equal(await bus.request(Double, 3), 6);
    await assert.rejects(bus.request(Double, 2, { exchange: gone }), NoResponderError);
    assert.equal(await bus.request(Double, 4), 8);
    assert.deepEqual(
      seen('channel.reopened').map(({ channel }) => channel),
      ['requests'],
    );
    assert.deepEqual(seen('connection.down'), []);
  });

  it('find the own exchange of the bus again after somebody has deleted it', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    await bus.start();
    await bus.request(Double, 0).catch(() => {});
    await raw(node, (channel) => channel.deleteExchange(`${prefix}.events`));
    await assert.rejects(bus.request(Double, 1), NoResponderError);
    await eventually(() => raw(node, (channel) => channel.checkExchange(`${prefix}.events`)));
    await respond(`${prefix}.events`);
    assert.equal(await eventually(() => bus.request(Double, 2), { timeout: 5_000 }), 4);
  });

  it('are refused with a reason where the user may not write, and others are asked', async () => {
    const prefix = uniqueName('prefix');
    const user = uniqueName('user');
    const closed = { name: uniqueName('closed'), declare: false } as const;
    await raw(node, (channel) => channel.assertExchange(closed.name, 'topic'));
    await node.ctl('add_user', user, 'password');
    // The address of the replies needs no right.
    await node.ctl('set_permissions', user, '.*', '^(?!closed-).*$', '^(?!amq\\.rabbitmq).*$');
    const { bus } = faultBus(node.url.replace(/\/\/[^@]*@/, `//${user}:password@`), { prefix });
    try {
      await bus.start();
      await respond(`${prefix}.events`);
      await assert.rejects(bus.request(Double, 1, { exchange: closed }), (error) => {
        assert.ok(error instanceof PublishRejectedError);
        assert.match(error.message, /ACCESS_REFUSED/);
        assert.match(error.help, /^Give the user permission to write to 'closed-/);
        return true;
      });
      assert.equal(await bus.request(Double, 2), 4);
    } finally {
      await bus.stop();
      await node.ctl('delete_user', user);
    }
  });

  it('cost a bus that never asks no channel', async () => {
    const { bus } = faultBus(node.url);
    await bus.start();
    const channels = async () => Number((await node.ctl('list_channels', 'pid')).trim().split('\n').length);
    const before = await channels();
    await bus.request(Double, 1).catch(() => {});
    assert.equal(await channels(), before + 1);
    await bus.request(Double, 1).catch(() => {});
    assert.equal(await channels(), before + 1);
  });
});
