import assert from 'node:assert/strict';
import { moveMessages } from '../../src/failures/acting/move-messages.js';
import { InvalidMessageError, TopologyError } from '../../src/index.js';
import type { OutgoingMessage } from '../../src/message/message.js';
import { Names } from '../../src/topology/names.js';
import type { Session } from '../../src/transport/transport.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/**
 * A queue that nobody consumes any more, with so many messages; and one that is there to take them.
 *
 * @param tooLarge of them, which has no room for headers of ours
 */
async function leftBehind(fx: BusFixture, count: number, tooLarge?: number) {
  const seen = fx.recorder();
  await fx.stop(await started(fx, fx.name('old')));
  await fx.stop(await started(fx, fx.name('new')));
  const port = await fx.port();
  const publisher = await fx.publisher();
  await Promise.all(numbers(count).map((number) => publisher.publish(keyOf(number), number)));
  const ready = async (queue: string) => (await port.session.inspect(fx.name(queue)))?.ready;
  await fx.eventually(async () => assert.equal(await ready('old'), count));
  // Its own copies are none of the test's business.
  await port.session.purge(fx.name('new'));
  const session: Session = Object.create(port.session, {
    publish: {
      value: (message: OutgoingMessage) =>
        message.body.toString() === `"${tooLarge}"`
          ? Promise.reject(new InvalidMessageError('its headers are too large', 'Make them smaller.'))
          : port.session.publish(message),
    },
  });
  const move = (target: (exchange: string, key: string) => string | undefined) =>
    fx.outcome(
      moveMessages(session, fx.harness.clock, {
        names: new Names(fx.name('').slice(0, -1), fx.harness.delayPrefix),
        queue: fx.name('old'),
        target,
      }),
    );
  return { ready, move, seen };
}

const keyOf = (number: string): string => (Number(number) % 2 === 1 ? 'order.odd' : 'order.even');

async function started(fx: BusFixture, queue: string) {
  const bus = fx.bus('service').handle('order.*', () => {}, { queue });
  await bus.start();
  return bus;
}

export const moving: Theme = (test) => {
  test('all arrive, once and in order; what belongs nowhere stays', async (fx) => {
    const { ready, move } = await leftBehind(fx, 1_000);
    const exchanges = new Set<string>();
    const result = await move((exchange, key) => {
      exchanges.add(exchange);
      return key === 'order.odd' ? fx.name('new') : undefined;
    });
    assert.deepEqual(result, { moved: 500, stayed: 500 });
    assert.deepEqual([...exchanges], [fx.events]);
    await fx.eventually(async () => assert.deepEqual([await ready('old'), await ready('new')], [500, 500]));
    const seen = fx.recorder();
    await fx
      .bus('service', { concurrency: 1 })
      .handle('order.*', seen.handle, { queue: fx.name('new') })
      .start();
    await fx.eventually(() => assert.equal(seen.calls.length, 500), { timeout: 20_000 });
    assert.deepEqual(
      seen.payloads,
      numbers(1_000).filter((number) => keyOf(number) === 'order.odd'),
    );
    const [{ context }] = seen.calls as [(typeof seen.calls)[0]];
    assert.deepEqual([context.exchange, context.routingKey, context.attempt], [fx.events, 'order.odd', 1]);
  });

  test('what can not be written again stays, and holds up nothing behind it', async (fx) => {
    const { ready, move } = await leftBehind(fx, 20, 3);
    assert.deepEqual(await move(() => fx.name('new')), { moved: 19, stayed: 1 });
    await fx.eventually(async () => assert.deepEqual([await ready('old'), await ready('new')], [1, 19]));
  });

  test('a queue that is not there ends it, and all that was not taken stays where it was', async (fx) => {
    const { ready, move } = await leftBehind(fx, 300);
    let asked = 0;
    const target = () => {
      asked += 1;
      return fx.name(asked === 50 ? 'nowhere' : 'new');
    };
    await assert.rejects(move(target), TopologyError);
    await fx.eventually(async () => {
      const [left = 0, taken = 0] = await Promise.all(['old', 'new'].map(ready));
      assert.equal(left + taken, 300);
      assert.ok(left > 0, 'none stayed');
    });
    assert.equal((await move(() => fx.name('new'))).stayed, 0);
    await fx.eventually(async () => assert.deepEqual([await ready('old'), await ready('new')], [0, 300]));
  });
};
