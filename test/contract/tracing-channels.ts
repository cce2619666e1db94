import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

type Story = Record<string, unknown> & { headers: Record<string, unknown>; carried: Record<string, unknown> };

const NAMES = ['publish', 'process', 'settle'] as const;

/** A tracer on the channels: what it was told, in order, and the store that it runs everything in. */
class Subscriber {
  readonly told: string[] = [];
  readonly stories: Record<(typeof NAMES)[number], Story[]> = { publish: [], process: [], settle: [] };
  private readonly undo: (() => void)[] = [];

  constructor(readonly store: AsyncLocalStorage<string>) {
    for (const name of NAMES) {
      const channel = tracingChannel<string, Story>(`hopline:${name}`);
      const tell = (what: string) => (story: unknown) => {
        this.told.push(`${name} ${what}`);
        if (what === 'start') this.stories[name].push(story as Story);
        if (what === 'start' && name === 'publish') (story as Story).headers.trace = 'of the caller';
        if (what === 'start' && name === 'process') (story as Story).carried.trace = 'of the handler';
      };
      const subscribers = {
        start: tell('start'),
        end: () => {},
        asyncStart: () => {},
        asyncEnd: tell('end'),
        error: tell('error'),
      };
      channel.subscribe(subscribers);
      channel.start.bindStore(store, () => name);
      this.undo.push(() => {
        channel.unsubscribe(subscribers);
        channel.start.unbindStore(store);
      });
    }
  }

  end(): void {
    for (const undo of this.undo) undo();
  }
}

async function subscribed(fx: BusFixture, body: (subscriber: Subscriber) => Promise<void>): Promise<void> {
  const subscriber = new Subscriber(new AsyncLocalStorage());
  try {
    await body(subscriber);
  } finally {
    subscriber.end();
  }
  assert.ok(fx);
}

export const tracingChannels: Theme = (test) => {
  test('who listens is told of publishes, of attempts and of what settles them, and how they end', (fx) =>
    subscribed(fx, async ({ told, stories, store }) => {
      const stores: unknown[] = [];
      const headers: unknown[] = [];
      const bus = fx.bus('mailer', { concurrency: 1 });
      bus.handle(
        'k',
        (_payload, context) => {
          stores.push(store.getStore());
          headers.push(context.headers.trace);
          if (context.attempt === 1) throw new Error('away');
        },
        { name: 'Mail', retry: { backoff: 0 } },
      );
      await bus.start();
      await bus.publish('k', 1, { messageId: 'm' });
      await fx.eventually(() => assert.equal(told.filter((line) => line === 'settle end').length, 2));
      const attempt = ['process start', 'process end', 'settle start', 'settle end'];
      assert.deepEqual(
        told.filter((line) => !line.startsWith('publish')),
        [...attempt.toSpliced(1, 0, 'process error'), ...attempt],
      );
      assert.deepEqual(
        told.filter((line) => line.startsWith('publish')),
        ['publish start', 'publish end'],
      );
      assert.deepEqual(stores, ['process', 'process']);
      assert.deepEqual(headers, ['of the caller', 'of the caller']);
      const [publish] = stories.publish;
      assert.deepEqual(
        [publish?.service, publish?.routingKey, publish?.messageId, publish?.of],
        [fx.name('mailer'), 'k', 'm', 'message'],
      );
      const [first, second] = stories.process;
      assert.deepEqual([first?.attempt, second?.attempt, first?.handler], [1, 2, 'Mail']);
      assert.match(String(first?.error), /away/);
      assert.deepEqual(second?.result, { outcome: 'succeeded' });
    }));

  test('what a message leads to carries on what a listener says', (fx) =>
    subscribed(fx, async () => {
      const seen = fx.recorder();
      const bus = fx
        .bus('mailer')
        .handle('first', () => {})
        .handle('second', seen.handle);
      await bus.start();
      await bus
        .chain([
          { key: 'first', payload: 1 },
          { key: 'second', payload: 2 },
        ])
        .dispatch();
      await fx.eventually(() => assert.equal(seen.calls.length, 1));
      assert.equal(seen.at(0).context.headers.trace, 'of the handler');
    }));

  test('who begins to listen when the bus is made already is told nothing', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await subscribed(fx, async ({ told }) => {
      await bus.start();
      await bus.publish('k', 1);
      await fx.eventually(() => assert.equal(seen.calls.length, 1));
      await fx.stop(bus);
      assert.deepEqual(told, []);
    });
  });
};
