import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineMessage, OptionsError, PublishManyError, UnroutableError } from '../../src/index.js';
import { PACK_CONTENT_TYPE } from '../../src/message/wire/pack.js';
import { deferred } from '../../src/util/deferred.js';
import { ours, watch } from '../support/bus-fixture.js';
import { hold } from '../support/port.js';
import type { Theme } from './theme.js';

/** From 0 on. */
const numbers = (count: number): number[] => Array.from({ length: count }, (_none, index) => index);

/** Payloads in their order, however they were handled. */
const inOrder = (payloads: readonly unknown[]) =>
  (payloads as number[]).toSorted((left, right) => left - right);

export const packs: Theme = (test) => {
  test('many payloads travel in packs and are handled one by one, each once, with an id and a life of its own', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    const succeeded = watch(bus, 'handler.succeeded');
    const confirmed = watch(bus, 'message.confirmed');
    await bus.start();
    await bus.publishMany('k', numbers(25), { pack: 10, correlationId: 'c', headers: { tenant: 'acme' } });
    await fx.eventually(() => assert.equal(succeeded.length, 25));
    assert.deepEqual(inOrder(seen.payloads), numbers(25));
    const ids = new Set(seen.calls.map(({ context }) => context.messageId));
    assert.equal(ids.size, 25);
    assert.deepEqual(new Set(confirmed.map(({ event }) => (event as { messageId: string }).messageId)), ids);
    for (const { context, attempt } of seen.calls) {
      assert.equal(attempt, 1);
      assert.equal(context.correlationId, 'c');
      assert.deepEqual({ ...context.headers }, { tenant: 'acme' });
      assert.ok(context.publishedAt instanceof Date);
    }
  });

  test('on the wire a pack is one message: a JSON payload on each line, under a content type of its own', async (fx) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    await bus.start();
    await fx.stop(bus);
    const publisher = await fx.publisher();
    await publisher.publishMany('k', [{ text: 'two\nlines' }, 'Grüße', null, [1, 2]], { pack: 3 });
    const [pack, alone] = await fx.taken(fx.name('mailer'), 2);
    assert.equal(pack?.body.toString(), '{"text":"two\\nlines"}\n"Grüße"\nnull\n');
    assert.equal(pack?.properties.contentType, PACK_CONTENT_TYPE);
    assert.equal(alone?.body.toString(), '[1,2]');
    assert.equal(alone?.properties.contentType, 'application/json');
  });

  test('one of a pack that fails is retried alone, and dead-lettered alone with its own bytes', async (fx) => {
    const seen = fx.recorder(({ payload, attempt }) => {
      if (payload === 2 || (payload === 5 && attempt === 1)) throw new Error(`no ${payload}`);
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    await bus.publishMany('k', numbers(8), { pack: 8 });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '2');
    assert.equal(letter.properties.contentType, 'application/json');
    assert.match(String(letter.properties.messageId), /\.2$/);
    assert.equal(ours(letter).attempt, 2);
    assert.equal(ours(letter).routingKey, 'k');
    await fx.eventually(() => assert.equal(seen.calls.length, 10));
    const times = (number: number) => seen.payloads.filter((payload) => payload === number).length;
    assert.deepEqual(numbers(8).map(times), [1, 1, 2, 1, 1, 2, 1, 1]);
    assert.deepEqual(await fx.foreign.take(fx.name('mailer')), []);
  });

  test('a payload of a pack that cannot be decoded is dead-lettered alone, and an empty pack as a whole', async (fx) => {
    const seen = fx.recorder();
    await fx.bus('mailer').handle('k', seen.handle).start();
    const properties = { contentType: PACK_CONTENT_TYPE };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1\n{"broken\n\n2', properties });
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '', properties });
    const letters = await fx.deadLetters(fx.name('mailer'), 3);
    assert.deepEqual(letters.map(({ body }) => body.toString()).toSorted(), ['', '', '{"broken']);
    assert.deepEqual(
      letters.map((letter) => ours(letter).reason),
      ['undecodable', 'undecodable', 'undecodable'],
    );
    await fx.eventually(() => assert.deepEqual(inOrder(seen.payloads), [1, 2]));
  });

  test('a pack is acked when all of it is settled, not before', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => (payload === 3 ? gate.promise : undefined));
    const bus = fx.bus('mailer').handle('k', seen.handle);
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publishMany('k', numbers(4), { pack: 4 });
    await fx.eventually(() => assert.equal(succeeded.length, 3));
    await bus.publish('k', 4);
    await fx.eventually(() => assert.equal(succeeded.length, 4));
    gate.resolve();
    await fx.eventually(() => assert.equal(succeeded.length, 5));
    await fx.stop(bus);
    assert.deepEqual(await fx.foreign.take(fx.name('mailer')), []);
  });

  test('stop hands on what of a pack has not started, and nothing that has is handled again', async (fx) => {
    const gate = deferred();
    const first = fx.recorder(({ payload }) => (payload === -1 ? undefined : gate.promise));
    const bus = fx.bus('mailer', { concurrency: 2 }).handle('k', first.handle, { queue: { prefetch: 4 } });
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', -1);
    await fx.eventually(() => assert.equal(succeeded.length, 1)); // from now on more than one may be here
    const publisher = await fx.publisher();
    await publisher.publishMany('k', numbers(8), { pack: 4 });
    await fx.eventually(() => assert.equal(first.calls.length, 3));
    const stopping = bus.stop();
    gate.resolve();
    await fx.outcome(stopping);
    assert.equal(first.calls.length, 3);

    const second = fx.recorder();
    await fx.bus('mailer').handle('k', second.handle).start();
    await fx.eventually(() =>
      assert.deepEqual(inOrder([...first.payloads, ...second.payloads]), [-1, ...numbers(8)]),
    );
    assert.deepEqual(new Set(second.attempts), new Set([1]));
  });

  test('what fails of many is named with its place and its error, and the others are confirmed', async (fx) => {
    const definition = defineMessage('k', z.number().max(4));
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle(definition, seen.handle);
    await bus.start();
    const error = await bus.publishMany(definition, numbers(8), { pack: 3 }).catch((cause) => cause);
    assert.ok(error instanceof PublishManyError);
    assert.match(error.message, /^3 of 8 messages 'k' were not published; the first is at index 5: /);
    assert.deepEqual(
      error.failures.map(({ index, error: { name } }) => [index, name]),
      [
        [5, 'PayloadInvalidError'],
        [6, 'PayloadInvalidError'],
        [7, 'PayloadInvalidError'],
      ],
    );
    await fx.eventually(() => assert.deepEqual(inOrder(seen.payloads), numbers(5)));

    const unroutable = await bus.sendMany('nobody', [1, 2, 3], { pack: 2 }).catch((cause) => cause);
    assert.ok(unroutable instanceof PublishManyError);
    assert.deepEqual(
      unroutable.failures.map(({ index, error: each }) => [index, each instanceof UnroutableError]),
      [
        [0, true],
        [1, true],
        [2, true],
      ],
    );
  });

  test('many payloads may come from a generator, and need not be packed', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    async function* payloads() {
      for (const number of numbers(30)) yield number;
    }
    await bus.sendMany('k', payloads());
    await bus.publishMany('k', payloads(), { pack: 2, delay: '100ms' });
    await fx.eventually(() =>
      assert.deepEqual(
        inOrder(seen.payloads),
        numbers(30).flatMap((each) => [each, each]),
      ),
    );
  });

  test('single publishes of a definition that says so are gathered, and each has its outcome', async (fx) => {
    const definition = defineMessage<number>('k', undefined, { pack: { max: 4, within: '20ms' } });
    const lonely = defineMessage<number>('nobody', undefined, { pack: { max: 4, within: '20ms' } });
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle(definition, seen.handle);
    await bus.start();
    const publishing = Promise.all(numbers(6).map((number) => bus.publish(definition, number)));
    const own = bus.publish(definition, 6, { messageId: 'my-own' });
    await fx.outcome(Promise.all([publishing, own]));
    await fx.eventually(() => assert.deepEqual(inOrder(seen.payloads), numbers(7)));
    const ids = seen.calls.map(({ context }) => String(context.messageId));
    const packsOf = new Set(ids.filter((id) => id.includes('.')).map((id) => id.split('.')[0]));
    assert.equal(packsOf.size, 2);
    assert.ok(ids.includes('my-own'));
    const outcomes = await fx.outcome(Promise.allSettled([bus.send(lonely, 1), bus.send(lonely, 2)]));
    for (const outcome of outcomes)
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof UnroutableError);
  });

  test('no pack is larger than a body may be, gathered or not', async (fx) => {
    const definition = defineMessage<string>('k', undefined, { pack: { max: 100, within: '20ms' } });
    const seen = fx.recorder();
    const options = { maxBodyBytes: 1_000 };
    const bus = fx.bus('mailer', options).handle(definition, seen.handle);
    await bus.start();
    const payloads = numbers(20).map((number) => `${number}`.padEnd(180, '.'));
    await fx.outcome(Promise.all(payloads.map((payload) => bus.publish(definition, payload))));
    await bus.publishMany(definition, payloads);
    await fx.eventually(() => assert.equal(seen.calls.length, 40));
    assert.deepEqual(new Set(seen.payloads), new Set(payloads));
  });

  test('what is no list of payloads is refused', async (fx) => {
    const bus = await fx.publisher();
    for (const payloads of [undefined, null, 7, 'text', { length: 1 }])
      await assert.rejects(bus.publishMany('k', payloads as never), OptionsError);
  });

  test('stop sends what is gathered', async (fx) => {
    const definition = defineMessage<number>('k', undefined, { pack: { max: 100, within: '1s' } });
    const seen = fx.recorder();
    await fx.bus('mailer').handle('k', seen.handle).start();
    const publisher = await fx.publisher();
    const publishing = Promise.all(numbers(3).map((number) => publisher.publish(definition, number)));
    await fx.stop(publisher);
    await publishing;
    await fx.eventually(() => assert.deepEqual(inOrder(seen.payloads), numbers(3)));
  });

  test('a pack that comes back again and again is taken apart, so that each has a delivery limit of its own', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    await fx.stop(bus);
    await (await fx.publisher()).publishMany('k', numbers(4), { pack: 4 });
    for (let crash = 0; crash < 3; crash += 1) {
      const worker = await fx.port();
      const consumer = await worker.consume('mailer', hold, 1);
      await fx.eventually(() => assert.equal(consumer.deliveries.length, 1));
      await worker.close();
    }
    const next = fx.bus('mailer').handle('k', seen.handle);
    const released = watch(next, 'message.released');
    await next.start();
    await fx.eventually(() => assert.deepEqual(inOrder(seen.payloads), numbers(4)));
    assert.equal(released.length, 4);
    assert.deepEqual(seen.attempts, [1, 1, 1, 1]);
  });

  test('a pack that the broker gave up is one dead letter, and a replay brings each of its messages', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    await fx.stop(bus);
    await (await fx.publisher()).publishMany('k', numbers(3), { pack: 3, expiration: '100ms' });
    const desk = await fx.failures('mailer');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    await fx.bus('mailer').handle('k', seen.handle).start();
    await desk.retry({});
    await fx.eventually(() => assert.deepEqual(inOrder(seen.payloads), numbers(3)));
  });
};
