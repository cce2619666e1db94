import 'reflect-metadata';
import assert from 'node:assert/strict';
import { z } from 'zod';
import { Handles, handlers, Queue } from '../../decorators/index.js';
import { defineMessage, type MessageContext, OptionsError } from '../../src/index.js';
import { watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_none, index) => index);
const inOrder = (payloads: readonly number[]) => payloads.toSorted((left, right) => left - right);

export const bulk: Theme = (test) => {
  test('a handler of many is called with what comes within its time, each message with its own context', async (fx) => {
    const calls: { payloads: number[]; ids: (string | undefined)[] }[] = [];
    const definition = defineMessage('k', z.number());
    const bus = fx.bus('mailer').handle(
      definition,
      (payloads, contexts) => {
        calls.push({ payloads, ids: contexts.map(({ messageId }) => messageId) });
      },
      { bulk: { max: 8, within: '200ms' } },
    );
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publishMany(definition, numbers(20), { pack: 10 });
    await fx.eventually(() => assert.equal(succeeded.length, 20));
    assert.deepEqual(inOrder(calls.flatMap(({ payloads }) => payloads)), numbers(20));
    assert.equal(new Set(calls.flatMap(({ ids }) => ids)).size, 20);
    assert.ok(calls.every(({ payloads }) => payloads.length <= 8));
    assert.ok(calls.some(({ payloads }) => payloads.length === 8));
  });

  test('each message of one call ends as its handler says: done, failed, released, dropped, retried', async (fx) => {
    const seen: { payload: number; attempt: number }[] = [];
    const decide = (payloads: number[], contexts: MessageContext[]) =>
      payloads.map((payload, index) => {
        const context = contexts[index] as MessageContext;
        seen.push({ payload, attempt: context.attempt });
        if (payload === 1) context.fail('never');
        if (payload === 2 && context.attempt === 1) return new Error('again');
        if (payload === 3) context.discard();
        return undefined;
      });
    const bus = fx.bus('mailer').handle('k', decide, {
      bulk: { max: 4, within: '100ms' },
      retry: { tries: 3, backoff: '100ms' },
    });
    const ends = watch(bus, 'handler.succeeded', 'message.discarded');
    await bus.start();
    await bus.publishMany('k', numbers(4));
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '1');
    await fx.eventually(() => assert.equal(ends.length, 3));
    assert.deepEqual(
      seen.filter(({ payload }) => payload === 2).map(({ attempt }) => attempt),
      [1, 2],
    );
    assert.equal(seen.length, 5);
  });

  test('a call that throws is a failed attempt of each of its messages', async (fx) => {
    const attempts: number[] = [];
    const bus = fx.bus('mailer').handle(
      'k',
      async (_payloads: number[], contexts: MessageContext[]) => {
        attempts.push(...contexts.map(({ attempt }) => attempt));
        if (contexts.some(({ attempt }) => attempt === 1)) throw new Error('the database is away');
      },
      { bulk: { max: 3, within: '100ms' }, retry: { tries: 2, backoff: '100ms' } },
    );
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publishMany('k', numbers(3), { pack: 3 });
    await fx.eventually(() => assert.equal(succeeded.length, 3));
    assert.deepEqual(attempts.toSorted(), [1, 1, 1, 2, 2, 2]);
  });

  test('a decorated class takes many, and stop handles at once what is being gathered', async (fx) => {
    const seen: number[] = [];
    @Queue({ name: fx.name('bulk') })
    @Handles('k', { bulk: { max: 50, within: '300ms' } })
    class Bulk {
      async handle(payloads: number[]): Promise<void> {
        seen.push(...payloads);
      }
    }
    const bus = fx.bus('mailer', { handlers: handlers([Bulk]) });
    const started = watch(bus, 'handler.started');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(started.length, 1));
    await fx.stop(bus);
    assert.deepEqual(seen, [1]);
    assert.deepEqual(await fx.foreign.take(fx.name('bulk')), []);
  });

  test('a call that its concurrency could never fill is refused, and so is one of a single message', async (fx) => {
    const bus = fx.bus('mailer').handle('k', (payloads: number[]) => payloads.length, {
      bulk: { max: 20 },
      queue: { concurrency: 5 },
    });
    await assert.rejects(bus.start(), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.match(error.message, /expected bulk\.max to be at most the concurrency, 5, .*; got 20/);
      return true;
    });
    const odd = fx.bus('odd').handle('k', () => {}, { bulk: { max: 1, within: '2m' } });
    await assert.rejects(
      odd.start(),
      /bulk\.max to be an integer from 2 to 10000, got 1[\s\S]*bulk\.within to be/,
    );
  });
};
