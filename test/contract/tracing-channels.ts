import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { trace } from '@opentelemetry/api';
import { idOf, Spans } from '../support/spans.js';
import type { Theme } from './theme.js';

type Story = Record<string, unknown> & { headers: Record<string, unknown>; carried: Record<string, unknown> };

const NAMES = ['publish', 'process', 'settle'] as const;

const FORGED = { 'hopline-attempt': '7', 'x-delivery-count': '7' };

/** A tracer on the channels: what it was told, in order, and the store that it runs everything in. */
class Subscriber {
  readonly told: string[] = [];
  /** What the store had where each began. */
  readonly found: Record<(typeof NAMES)[number], unknown[]> = { publish: [], process: [], settle: [] };
  readonly stories: Record<(typeof NAMES)[number], Story[]> = { publish: [], process: [], settle: [] };
  private readonly undo: (() => void)[] = [];

  constructor(readonly store: AsyncLocalStorage<string>) {
    for (const name of NAMES) {
      const channel = tracingChannel<string, Story>(`hopline:${name}`);
      const tell = (what: string) => (story: unknown) => {
        this.told.push(`${name} ${what}`);
        if (what === 'start') this.stories[name].push(story as Story);
        if (what !== 'start' || name === 'settle') return;
        const { headers, carried } = story as Story;
        // With what is no text, and what only Hopline may write.
        if (name === 'publish') Object.assign(headers, { trace: 'of the caller', sampled: {}, ...FORGED });
        else Object.assign(carried, { trace: 'of the handler', sampled: 1n, ...FORGED });
      };
      const subscribers = {
        start: tell('start'),
        end: () => {},
        asyncStart: () => {},
        asyncEnd: tell('end'),
        error: tell('error'),
      };
      channel.subscribe(subscribers);
      channel.start.bindStore(store, () => {
        this.found[name].push(store.getStore());
        return name;
      });
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

async function subscribed(body: (subscriber: Subscriber) => Promise<void>): Promise<void> {
  const subscriber = new Subscriber(new AsyncLocalStorage());
  try {
    await body(subscriber);
  } finally {
    subscriber.end();
  }
}

export const tracingChannels: Theme = (test) => {
  test('who listens is told of publishes, of attempts and of what settles them, and how they end', (fx) =>
    subscribed(async ({ told, stories, store, found }) => {
      const stores: unknown[] = [];
      const headers: unknown[] = [];
      const bus = fx.bus('mailer', { concurrency: 1 });
      bus.handle(
        'k',
        (_payload, context) => {
          stores.push(store.getStore());
          headers.push({ ...context.headers });
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
      // An attempt that follows at once begins where the delivery did, as the first.
      assert.deepEqual(found.process, [undefined, undefined]);
      assert.deepEqual(headers, [{ trace: 'of the caller' }, { trace: 'of the caller' }]);
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
    subscribed(async () => {
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
      const { trace, ...headers } = seen.at(0).context.headers;
      assert.equal(trace, 'of the handler');
      assert.ok(!('sampled' in headers || 'x-delivery-count' in headers), Object.keys(headers).join());
      assert.equal(seen.at(0).context.attempt, 1);
    }));

  test('an attempt that follows at once is in its own span, beside who listens', (fx) =>
    subscribed(async ({ store, found }) => {
      const spans = new Spans(fx);
      const bus = fx.bus('mailer', { middleware: [spans.otel()], concurrency: 1 });
      const seen: unknown[] = [];
      bus.handle(
        'k',
        (_payload, { attempt }) => {
          seen.push(trace.getActiveSpan()?.spanContext().spanId, store.getStore());
          if (attempt === 1) throw new Error('away');
        },
        { retry: { backoff: 0 } },
      );
      await bus.start();
      await bus.publish('k', 1);
      await spans.are(
        'PRODUCER send k',
        '  CONSUMER process mailer retried!',
        '    CLIENT settle mailer retried',
        '  CONSUMER process mailer',
        '    CLIENT settle mailer',
      );
      const [first, second] = spans.named('process mailer');
      assert.ok(first && second);
      assert.deepEqual(seen, [idOf(first), 'process', idOf(second), 'process']);
      assert.deepEqual(found.process, [undefined, undefined]);
    }));

  test('who begins to listen when the bus is made already is told nothing', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await subscribed(async ({ told }) => {
      await bus.start();
      await bus.publish('k', 1);
      await fx.eventually(() => assert.equal(seen.calls.length, 1));
      await fx.stop(bus);
      assert.deepEqual(told, []);
    });
  });
};
