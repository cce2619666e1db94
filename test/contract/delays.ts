import assert from 'node:assert/strict';
import { type Bus, InvalidMessageError, OptionsError } from '../../src/index.js';
import { ours } from '../support/bus-fixture.js';
import type { ForeignDelivery } from '../support/transport-harness.js';
import type { Theme } from './theme.js';

/** Whole levels, sums of several, and what has to be rounded up. */
const DELAYS_MS = [100, 150, 200, 300, 400, 700, 800, 1_000, 1_001, 1_500, 1_900, 2_000, 2_300, 2_999, 3_000];

export const delays: Theme = (test, { realTime }) => {
  for (const intent of ['publish', 'send'] as const) {
    test(`a ${intent} with a delay arrives when that is over, never early, whatever lies before it`, async (fx) => {
      const seen = fx.recorder();
      const bus = fx.bus('mailer').handle('order.#', seen.handle);
      await bus.start();
      const { clock } = fx.harness;
      const publishedAt = new Map<number, number>();
      // The longest first: none may wait behind another.
      await Promise.all(
        DELAYS_MS.toReversed().flatMap((delay) => {
          publishedAt.set(delay, clock.monotonic());
          return [bus[intent]('order.due', delay, { delay, headers: { kept: 'yes' } })];
        }),
      );
      await fx.eventually(() => assert.equal(seen.calls.length, DELAYS_MS.length));
      for (const { payload, at, context, attempt, routingKey } of seen.calls) {
        const delay = payload as number;
        const waited = at - Number(publishedAt.get(delay));
        if (realTime) assert.ok(waited >= delay, `${delay} ms arrived after ${waited}`);
        else assert.equal(waited, Math.ceil(delay / 100) * 100);
        assert.deepEqual([routingKey, context.exchange, attempt], ['order.due', fx.events, 1]);
        assert.equal(context.headers.kept, 'yes');
      }
      assert.deepEqual(new Set(seen.payloads), new Set(DELAYS_MS));
    });
  }

  test('a message for a moment arrives at it; one for a moment that is over arrives at once', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    const { clock } = fx.harness;
    const at = new Date(clock.now() + 500);
    const startedAt = clock.monotonic();
    await bus.publish('k', 'later', { at });
    await bus.publish('k', 'over', { at: new Date(clock.now() - 60_000) });
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['over', 'later']));
    // Wall clock and monotonic clock are read at two moments, a little apart.
    assert.ok(seen.at(1).at - startedAt >= 499, `${seen.at(1).at - startedAt} ms`);
  });

  test('a delayed publish reaches a queue that is bound while it waits', async (fx) => {
    const publisher = await fx.publisher();
    await publisher.publish('order.placed', 'early', { delay: '1s' });
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('order.*', seen.handle);
    await bus.start();
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['early']));
  });

  test('a delayed publish reaches every queue that matches, each once, and no retry is mixed up with it', async (fx) => {
    const first = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('once');
    });
    const second = fx.recorder();
    const bus = fx
      .bus('mailer')
      .handle('*.placed', first.handle, { queue: fx.name('first'), retry: { backoff: '100ms' } })
      .handle('order.#', second.handle, { queue: fx.name('second') });
    await bus.start();
    await bus.publish('order.placed', 'due', { delay: '200ms' });
    await fx.eventually(() => assert.deepEqual(first.attempts, [1, 2]));
    await fx.eventually(() => assert.deepEqual(second.attempts, [1]));
    assert.deepEqual(first.keys, ['order.placed', 'order.placed']);
  });

  test('a delayed message on an exchange of its own is due there and nowhere else', async (fx) => {
    const [own, usual] = [fx.recorder(), fx.recorder()];
    const bus = fx
      .bus('mailer')
      .handle('k.#', own.handle, { queue: fx.name('own'), exchange: fx.name('dotted.exchange') })
      .handle('k.#', usual.handle);
    await bus.start();
    await bus.publish('k.1', 'own', { delay: '100ms', exchange: fx.name('dotted.exchange') });
    await bus.publish('k.2', 'usual', { delay: '200ms' });
    await fx.eventually(() => assert.deepEqual([own.payloads, usual.payloads], [['own'], ['usual']]));
    assert.equal(own.at(0).context.exchange, fx.name('dotted.exchange'));
  });

  test('when it is due, a delayed send that no queue takes is kept as lost, a delayed publish is dropped', async (fx) => {
    const publisher = await fx.publisher();
    await publisher.publish('nobody', 'dropped', { delay: '200ms' });
    await publisher.send('nobody', 'kept', { delay: '200ms' });
    const lost: ForeignDelivery[] = [];
    await fx.eventually(async () => {
      const taken = await fx.foreign.take(`${fx.harness.delayPrefix}.delay.lost`);
      lost.push(...taken.filter((message) => ours(message).exchange === fx.events));
      return lost.length > 0;
    });
    assert.deepEqual(
      lost.map((message) => `${message.body} for ${ours(message).routingKey}`),
      ['"kept" for nobody'],
    );
  });

  test('a delay is in force while no bus runs', async (fx) => {
    const seen = fx.recorder();
    const handling = () => fx.bus('mailer').handle('k', seen.handle);
    const first = handling();
    await first.start();
    await first.publish('k', 'patient', { delay: '300ms' });
    await fx.stop(first);
    assert.deepEqual(seen.payloads, []);
    await handling().start();
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['patient']));
  });

  test('what cannot be delayed is refused at the call', async (fx) => {
    const bus = await fx.publisher();
    const refused: [Parameters<Bus['publish']>[2], new (...args: never[]) => Error][] = [
      [{ delay: '401d' }, InvalidMessageError],
      [{ delay: '1s', expiration: '1s' }, InvalidMessageError],
      [{ delay: '1s', userId: 'guest' }, InvalidMessageError],
      [{ delay: '1s', headers: { CC: ['x'] } }, InvalidMessageError],
      [{ delay: '1s', at: new Date() }, OptionsError],
      [{ delay: -1 }, OptionsError],
      [{ delay: '1s', exchange: { name: 'amq.topic', declare: false } }, InvalidMessageError],
    ];
    const port = await fx.port();
    await port.declare({ exchanges: { theirs: 'topic' } });
    for (const [options, kind] of refused) {
      const exchange = options?.exchange
        ? { exchange: { name: fx.name('theirs'), declare: false as const } }
        : {};
      await assert.rejects(bus.publish('k', 1, { ...options, ...exchange }), kind, JSON.stringify(options));
    }
  });
};
