import assert from 'node:assert/strict';
import { z } from 'zod';
import {
  type ChainStep,
  defineMessage,
  InvalidMessageError,
  type MessageContext,
  MessageTooLargeError,
  NotStartedError,
  OptionsError,
  PayloadInvalidError,
  type StepContext,
  UnroutableError,
} from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import { type BusFixture, ours, type Recorder, watch, wireHeaders } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** Steps with these keys, each with its key as its payload. */
const steps = (...keys: string[]) => keys.map((key) => ({ key, payload: key }));

/** What a handler of a step knows of its chain. */
function stepOf(context: MessageContext): StepContext {
  assert.ok(context.step);
  return context.step;
}

/** A service that handles everything, and remembers it. */
async function worker(fx: BusFixture, then?: ConstructorParameters<typeof Recorder>[1], options = {}) {
  const seen = fx.recorder(then);
  const bus = fx.bus('worker').handle('step.#', seen.handle, { retry: { backoff: '100ms' }, ...options });
  await bus.start();
  return { bus, seen };
}

const places = (seen: Recorder) =>
  seen.calls.map(({ routingKey, context }) => {
    const { number, of } = stepOf(context);
    return `${routingKey} ${number}/${of}`;
  });

const idsOf = (seen: Recorder) => seen.calls.map(({ context }) => context.messageId);

export const chains: Theme = (test) => {
  test('the steps of a chain are handled one after the other, each knowing its place', async (fx) => {
    let running = 0;
    const { bus, seen } = await worker(fx, async () => {
      running += 1;
      assert.equal(running, 1);
      await Promise.resolve();
      running -= 1;
    });
    const chain = bus.chain(steps('step.a', 'step.b', 'step.c'));
    await chain.dispatch();
    await fx.eventually(() => assert.deepEqual(places(seen), ['step.a 1/3', 'step.b 2/3', 'step.c 3/3']));
    assert.deepEqual(seen.payloads, ['step.a', 'step.b', 'step.c']);
    assert.equal(new Set(idsOf(seen)).size, 3);
    for (const { context } of seen.calls) {
      assert.equal(stepOf(context).chainId, chain.id);
      assert.ok(context.publishedAt instanceof Date);
    }
    assert.equal(seen.at(0).context.messageId, chain.id);
    assert.deepEqual(stepOf(seen.at(0).context).rest, ['step.b', 'step.c']);
  });

  test('steps are sent as they say: headers, correlation, exchange and lane; a payload is what it was at dispatch', async (fx) => {
    const urgent = fx.recorder();
    const exchange = fx.name('other');
    const bus = fx
      .bus('worker')
      .handle('step.a', () => {})
      .handle('step.b', urgent.handle, {
        queue: { name: fx.name('b'), exchange, lanes: ['high', 'default'] },
      });
    await bus.start();
    const payload = { text: 'before' };
    const dispatched = bus
      .chain([
        { key: 'step.a', payload: 1, headers: { traceparent: '00-1' } },
        {
          key: 'step.b',
          payload,
          exchange,
          lane: 'high',
          headers: { mine: Buffer.from('bytes') },
          priority: 3,
        },
      ])
      .dispatch();
    payload.text = 'after';
    await dispatched;
    await fx.eventually(() => assert.equal(urgent.calls.length, 1));
    const { context, payload: got } = urgent.at(0);
    assert.deepEqual(got, { text: 'before' });
    assert.equal(context.queue, `${fx.name('b')}.high`);
    assert.equal(context.headers.traceparent, '00-1');
    assert.deepEqual(context.headers.mine, Buffer.from('bytes'));
    assert.equal(context.correlationId, stepOf(context).chainId);
  });

  test('a step that waits counts its delay from the end of the one before, and keeps the rest', async (fx) => {
    const { bus, seen } = await worker(fx);
    const delayed = { key: 'step.b', payload: 2, delay: '200ms' } as const;
    await bus.chain([{ key: 'step.a', payload: 1, delay: '100ms' }, delayed, ...steps('step.c')]).dispatch();
    await fx.eventually(() => assert.deepEqual(places(seen), ['step.a 1/3', 'step.b 2/3', 'step.c 3/3']));
    assert.ok(seen.at(1).at - seen.at(0).at >= 200);
  });

  test('a step passes its result to the next one, and to that alone', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context }) => {
      if (routingKey === 'step.a') stepOf(context).pass({ size: [1, 2] });
    });
    await bus.chain(steps('step.a', 'step.b', 'step.c')).dispatch();
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    const results = seen.calls.map(({ context }) => stepOf(context).result);
    assert.deepEqual(results, [undefined, { size: [1, 2] }, undefined]);
  });

  test('a step prepends, appends and replaces what comes after it', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context }) => {
      const step = stepOf(context);
      if (routingKey === 'step.a') {
        step.append({ key: 'step.z', payload: 1 });
        step.prepend({ key: 'step.p', payload: 1 }, { key: 'step.q', payload: 1 });
        assert.deepEqual(step.rest, ['step.p', 'step.q', 'step.b', 'step.z']);
        assert.equal(step.of, 5);
      }
      if (routingKey === 'step.b') step.replace([{ key: 'step.r', payload: 1 }]);
      if (routingKey === 'step.r') step.append({ key: 'step.s', payload: 1 });
      if (routingKey === 'step.s') step.replace([]);
    });
    await bus.chain(steps('step.a', 'step.b')).dispatch();
    await fx.eventually(() =>
      assert.deepEqual(seen.keys, ['step.a', 'step.p', 'step.q', 'step.b', 'step.r', 'step.s']),
    );
    await fx.stop(bus);
    assert.deepEqual(await fx.foreign.take(fx.name('worker')), []);
  });

  test('a retry and a release in the middle keep the rest, and what a failed attempt asked for has no effect', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context, attempt }) => {
      if (routingKey !== 'step.b') return;
      const step = stepOf(context);
      step.pass(`attempt ${attempt}`);
      step.append({ key: `step.${seen.calls.length}`, payload: 1 });
      if (attempt === 1) throw new Error('once more');
      if (seen.calls.length < 4) context.release('100ms');
    });
    await bus.chain(steps('step.a', 'step.b', 'step.c')).dispatch();
    await fx.eventually(() =>
      assert.deepEqual(seen.keys, ['step.a', 'step.b', 'step.b', 'step.b', 'step.c', 'step.4']),
    );
    assert.equal(stepOf(seen.at(4).context).result, 'attempt 2');
  });

  test('a step that is given up ends the chain: its failure step is sent, then its dead letter, and the rest is not', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context }) => {
      if (routingKey === 'step.b') context.fail('no room');
    });
    await bus
      .chain(steps('step.a', 'step.b', 'step.c'))
      .onFailure({ key: 'step.failed', payload: { id: 7 } })
      .dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.b', 'step.failed']));
    const letter = await fx.deadLetter(fx.name('worker'));
    const { context, payload } = seen.at(2);
    assert.deepEqual(payload, { id: 7 });
    const { failure, chainId, rest } = stepOf(context);
    assert.deepEqual(failure, {
      key: 'step.b',
      number: 2,
      messageId: letter.properties.messageId,
      reason: 'rejected',
      error: 'Error: no room',
    });
    assert.equal(chainId, seen.at(0).context.messageId);
    assert.deepEqual(rest, []);
    assert.equal(ours(letter).routingKey, 'step.b');
    assert.deepEqual(seen.keys, ['step.a', 'step.b', 'step.failed']);
  });

  test('what no handler can have ends the chain as well, and a chain without a failure step leaves its dead letter only', async (fx) => {
    const seen = fx.recorder();
    const bus = fx
      .bus('worker')
      .handle(defineMessage('step.strict', z.number()), seen.handle)
      .handle('step.failed', seen.handle);
    await bus.start();
    await bus.chain(steps('step.strict', 'step.failed')).dispatch();
    assert.equal(ours(await fx.deadLetter(fx.name('worker'))).reason, 'invalid');
    await bus.chain(steps('step.strict')).onFailure({ key: 'step.failed', payload: 1 }).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.failed']));
    await fx.deadLetter(fx.name('worker'));
    assert.equal(stepOf(seen.at(0).context).failure?.reason, 'invalid');
  });

  test('a discarded step ends the chain without a word', async (fx) => {
    const { bus, seen } = await worker(fx, ({ context }) => context.discard());
    const discarded = watch(bus, 'message.discarded');
    await bus.chain(steps('step.a', 'step.b')).onFailure({ key: 'step.failed', payload: 1 }).dispatch();
    await fx.eventually(() => assert.equal(discarded.length, 1));
    await fx.stop(bus);
    assert.deepEqual(seen.keys, ['step.a']);
    assert.deepEqual(await fx.foreign.take(fx.name('worker')), []);
  });

  test('a dead letter of a chain says which step it is, and its replay goes on with the rest', async (fx) => {
    let mended = false;
    const { bus, seen } = await worker(fx, ({ routingKey, context }) => {
      if (routingKey === 'step.b' && !mended) context.fail('not yet');
      if (routingKey === 'step.a') stepOf(context).pass('kept');
    });
    await bus.chain(steps('step.a', 'step.b', 'step.c', 'step.d')).dispatch();
    const desk = await fx.failures('worker');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    const [letter] = await desk.get(String(seen.at(1).context.messageId));
    assert.deepEqual(letter?.chain, {
      id: seen.at(0).context.messageId,
      number: 2,
      of: 4,
      rest: ['step.c', 'step.d'],
      finished: false,
      failed: undefined,
    });
    mended = true;
    assert.equal((await desk.retry({})).done, 1);
    await fx.eventually(() =>
      assert.deepEqual(places(seen).slice(2), ['step.b 2/4', 'step.c 3/4', 'step.d 4/4']),
    );
    assert.equal(stepOf(seen.at(2).context).result, 'kept');
  });

  test('an exported dead letter of a chain is imported with its rest', async (fx) => {
    let mended = false;
    const { bus, seen } = await worker(fx, ({ routingKey, context }) => {
      if (routingKey === 'step.a' && !mended) context.fail('not yet');
    });
    await bus.chain(steps('step.a', 'step.b')).dispatch();
    const desk = await fx.failures('worker');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    const lines: string[] = [];
    for await (const line of desk.export({})) lines.push(line);
    await desk.forget({});
    await desk.import(lines);
    mended = true;
    await desk.retry({}, { to: 'republish' });
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.a', 'step.b']));
  });

  test('a next step that no queue takes: what is handled is not handled again, and a replay goes on from there', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context }) => {
      if (routingKey !== 'step.a') return;
      stepOf(context).pass('kept');
      stepOf(context).append({ key: 'step.c', payload: 1 });
    });
    const dead = watch(bus, 'message.deadLettered');
    await bus
      .chain([
        { key: 'step.a', payload: 1 },
        { key: 'nobody', payload: 2 },
      ])
      .onFailure({ key: 'step.failed', payload: 1 })
      .dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.failed']));
    await fx.eventually(() => assert.equal(dead.length, 1));
    const { failure } = stepOf(seen.at(1).context);
    assert.deepEqual([failure?.key, failure?.number, failure?.reason], ['nobody', 2, 'chain-broken']);
    assert.match(String(failure?.error), /^UnroutableError: no queue takes 'nobody'/);

    const late = fx.recorder();
    await fx.bus('late').handle('nobody', late.handle).start();
    const desk = await fx.failures('worker');
    const [letter] = await desk.list();
    assert.equal(letter?.reason, 'chain-broken');
    assert.equal((await desk.get(String(letter?.id)))[0]?.chain?.finished, true);
    await desk.retry({});
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.failed', 'step.c']));
    assert.equal(stepOf(late.at(0).context).result, 'kept');
    assert.equal(late.at(0).context.messageId, failure?.messageId);
  });

  test('a step that the broker gives up keeps its chain, and its replay goes on', async (fx) => {
    const { bus, seen } = await worker(fx);
    const away = fx.bus('away').handle('away', seen.handle);
    await away.start();
    await fx.stop(away);
    const expiring = { key: 'away', payload: 1, expiration: '100ms' } as const;
    await bus.chain([...steps('step.a'), expiring, ...steps('step.c')]).dispatch();
    const desk = await fx.failures('away');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    assert.deepEqual(
      (await desk.list()).map(({ reason, by }) => [reason, by]),
      [['expired', 'broker']],
    );
    await fx.bus('away').handle('away', seen.handle).start();
    await desk.retry({});
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'away', 'step.c']));
  });

  test('a failure step that no queue takes is logged, and what failed is dead-lettered all the same', async (fx) => {
    fx.expectError(/the failure step of a chain cannot be sent/);
    const { bus } = await worker(fx, ({ context }) => context.fail('no'));
    await bus.chain(steps('step.a')).onFailure({ key: 'nobody', payload: 1 }).dispatch();
    assert.equal(ours(await fx.deadLetter(fx.name('worker'))).reason, 'rejected');
    assert.equal(fx.log.filter(({ level }) => level === 'error').length, 1);
  });

  test('a step that comes again sends the same successor again, under the same id', async (fx) => {
    const { bus, seen } = await worker(fx);
    const chain = bus.chain(steps('step.a', 'step.b', 'step.c'), { id: 'my-own' });
    await chain.dispatch();
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    await chain.dispatch();
    await fx.eventually(() => assert.equal(seen.calls.length, 6));
    const ids = idsOf(seen);
    assert.equal(ids[0], 'my-own');
    assert.deepEqual(ids.slice(3), ids.slice(0, 3));
    assert.equal(new Set(ids).size, 3);
  });

  test('what can not be sent is refused at dispatch, whichever step it is, and nothing is sent', async (fx) => {
    const { bus, seen } = await worker(fx);
    const strict = defineMessage('step.strict', z.number());
    const late = defineMessage(
      'step.late',
      z.number().refine(async () => false),
    );
    const first = { key: 'step.a', payload: 1 };
    const refused: [ChainStep, new (...args: never[]) => Error][] = [
      [{ key: 'step.*', payload: 1 }, InvalidMessageError],
      [{ payload: 1 }, InvalidMessageError],
      [{ key: 'step.b', payload: undefined }, InvalidMessageError],
      [{ key: 'step.b', payload: 1, delay: '401d' }, InvalidMessageError],
      [{ key: 'step.b', payload: 1, dealy: '1s' } as ChainStep, OptionsError],
      [{ key: 'step.b', payload: 1, userId: 'guest' } as ChainStep, OptionsError],
      [{ definition: strict, payload: 'one' }, PayloadInvalidError],
      [{ definition: late, payload: 1 }, PayloadInvalidError],
      [{ key: 'step.b', payload: 'x'.repeat(32 * 1024) }, MessageTooLargeError],
      ['step.b' as never, OptionsError],
    ];
    for (const [step, error] of refused) {
      await assert.rejects(
        bus.chain([first, step] as never).dispatch(),
        error,
        JSON.stringify(step).slice(0, 60),
      );
      if (error !== MessageTooLargeError)
        await assert.rejects(
          bus
            .chain([first])
            .onFailure(step as never)
            .dispatch(),
          error,
        );
    }
    await assert.rejects(bus.chain([]).dispatch(), OptionsError);
    await assert.rejects(bus.chain('step.a' as never).dispatch(), OptionsError);
    assert.throws(() => bus.chain([first], { idd: 'x' } as never), OptionsError);
    await assert.rejects(bus.chain(steps('nobody', 'step.b')).dispatch(), UnroutableError);
    await assert.rejects(fx.bus('new').chain([first]).dispatch(), NotStartedError);
    await bus.send('step.end', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.end']));
  });

  test('a chain too large for a header says how large it is, and what to do', async (fx) => {
    const bus = await fx.publisher();
    const large = Array.from({ length: 20 }, (_none, n) => ({
      key: `step.${n}`,
      payload: 'x'.repeat(2_000),
    }));
    const error = await bus
      .chain(large)
      .dispatch()
      .catch((cause) => cause);
    assert.ok(error instanceof MessageTooLargeError);
    assert.match(error.message, /^step 1 of a chain can't carry the 19 after it: .* take 3\d{4} bytes/);
    assert.match(error.help, /references/);
  });

  test('a handler that adds what can not be sent, or passes too much, has failed in that attempt', async (fx) => {
    const late = defineMessage(
      'step.late',
      z.number().refine(async () => false),
    );
    const wrong: ((step: StepContext) => void)[] = [
      (step) => step.append({ key: 'step.*', payload: 1 }),
      (step) => step.append({ definition: late, payload: 1 }),
      (step) => step.pass('x'.repeat(33_000)),
      (step) => step.pass(1n),
    ];
    const { bus, seen } = await worker(fx, ({ routingKey, context, attempt }) => {
      if (routingKey === 'step.a') wrong[attempt - 1]?.(stepOf(context));
    });
    const retried = watch(bus, 'message.retried');
    await bus.chain(steps('step.a', 'step.b')).dispatch();
    await fx.eventually(() => assert.equal(seen.keys.at(-1), 'step.b'));
    const errors = retried.map(({ event }) => ((event as { error: Error }).error as Error).name);
    assert.deepEqual(errors, [
      'InvalidMessageError',
      'PayloadInvalidError',
      'MessageTooLargeError',
      'InvalidMessageError',
    ]);
  });

  test('a chain that can not be read is dead-lettered before it is handled, and its header is kept', async (fx) => {
    const { seen } = await worker(fx);
    const broken = [
      '{"v":1,"id":"c","number":1,"rest":[{"key":"step.*","payload":1,"exchange":"e"}]}',
      '{"v":2,"id":"c","number":1,"rest":[]}',
      '{"v":1,"id":"c","number":0,"rest":[]}',
      'no JSON',
    ];
    for (const header of broken) {
      const properties = { messageId: header.slice(0, 9), headers: { [HEADER.chain]: header } };
      await fx.foreign.publish({ exchange: fx.events, routingKey: 'step.a', body: '1', properties });
    }
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'step.a',
      body: '1',
      properties: { headers: { [HEADER.chain]: 7 } },
    });
    const letters = await fx.deadLetters(fx.name('worker'), 5);
    for (const letter of letters) {
      assert.equal(ours(letter).reason, 'undecodable');
      assert.match(String(ours(letter).error), /the rest of the message's chain can't be read/);
    }
    assert.deepEqual(letters.map((letter) => ours(letter).chain).toSorted(), [7, ...broken].toSorted());
    assert.deepEqual(seen.calls, []);
  });

  test('a chain that another client wrote goes on, and what of it may not be sent is refused then', async (fx) => {
    const { seen } = await worker(fx);
    const send = (rest: object[]) =>
      fx.foreign.publish({
        exchange: fx.events,
        routingKey: 'step.a',
        body: '1',
        properties: { headers: { [HEADER.chain]: JSON.stringify({ v: 1, id: 'theirs', number: 1, rest }) } },
      });
    await send([{ key: 'step.b', payload: { hello: 'there' }, exchange: fx.events }]);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.b']));
    assert.deepEqual(seen.payloads, [1, { hello: 'there' }]);
    await send([{ key: 'step.b', payload: 1, exchange: fx.events, delay: 'soon' }]);
    await send([{ key: 'step.b', payload: 1, exchange: '' }]);
    for (const letter of await fx.deadLetters(fx.name('worker'), 2)) {
      assert.equal(ours(letter).reason, 'chain-broken');
      assert.match(String(ours(letter).error), /^OptionsError/);
    }
  });

  test('a copy of the headers of a step is no step of its chain', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context }) =>
      routingKey === 'step.a' ? context.send('step.copy', 1, { headers: wireHeaders(context) }) : undefined,
    );
    await bus.chain(steps('step.a')).dispatch();
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.copy']));
    assert.equal(seen.at(1).context.step, undefined);
  });

  test('a handler starts a chain of its own, with the correlation of its message', async (fx) => {
    const { bus, seen } = await worker(fx, ({ routingKey, context }) =>
      routingKey === 'step.start' ? context.chain(steps('step.a', 'step.b')).dispatch() : undefined,
    );
    await bus.send('step.start', 1, { correlationId: 'c' });
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.start', 'step.a', 'step.b']));
    assert.deepEqual(
      seen.calls.map(({ context }) => context.correlationId),
      ['c', 'c', 'c'],
    );
    assert.equal(seen.at(0).context.step, undefined);
  });

  test('a handler of many has a step for each of its messages, which go on one by one', async (fx) => {
    const after = fx.recorder();
    const bulk = { max: 3, within: '100ms' } as const;
    const bus = fx
      .bus('worker')
      .handle(
        'step.a',
        (payloads: number[], contexts: MessageContext[]) => {
          for (const [index, context] of contexts.entries())
            stepOf(context).pass((payloads[index] as number) * 10);
          return payloads.map((payload) => (payload === 2 ? new Error('no') : undefined));
        },
        { bulk, retry: { tries: 1 }, queue: { name: fx.name('batch') } },
      )
      .handle('step.b', after.handle);
    await bus.start();
    for (const number of [1, 2, 3])
      await bus.chain([{ key: 'step.a', payload: number }, ...steps('step.b')]).dispatch();
    await fx.deadLetter(fx.name('batch'));
    await fx.eventually(() => assert.equal(after.calls.length, 2));
    const results = after.calls.map(({ context }) => stepOf(context).result);
    assert.deepEqual(results.toSorted(), [10, 30]);
  });

  test('an idempotent step is handled once, and its chain goes on once, however often it comes', async (fx) => {
    const { bus, seen } = await worker(fx, undefined, { idempotent: {}, name: 'Work' });
    const skipped = watch(bus, 'message.skipped');
    const chain = bus.chain(steps('step.a', 'step.b'));
    await chain.dispatch();
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await chain.dispatch();
    await fx.eventually(() => assert.equal(skipped.length, 1));
    await bus.send('step.end', 1);
    await fx.eventually(() => assert.deepEqual(seen.keys, ['step.a', 'step.b', 'step.end']));
  });

  test('an idempotent step whose next one no queue takes counts as handled', async (fx) => {
    const { bus, seen } = await worker(fx, undefined, { idempotent: {}, name: 'Work' });
    const skipped = watch(bus, 'message.skipped');
    const chain = bus.chain(steps('step.a', 'nobody'));
    await chain.dispatch();
    assert.equal(ours(await fx.deadLetter(fx.name('worker'))).reason, 'chain-broken');
    await chain.dispatch();
    await fx.eventually(() => assert.equal(skipped.length, 1));
    assert.deepEqual(seen.keys, ['step.a']);
  });

  test('steps are never packed, whatever their definition says', async (fx) => {
    const packed = defineMessage<number>('step.a', undefined, { pack: { max: 10, within: '1s' } });
    const { bus, seen } = await worker(fx);
    const each = { definition: packed, payload: 1 };
    await bus.chain([each, each]).dispatch();
    await fx.eventually(() => assert.deepEqual(places(seen), ['step.a 1/2', 'step.a 2/2']));
  });

  test('each step is a message like any other to those who listen', async (fx) => {
    const { bus, seen } = await worker(fx);
    const confirmed = watch(bus, 'message.confirmed');
    await bus.chain(steps('step.a', 'step.b')).dispatch();
    await fx.eventually(() => assert.equal(confirmed.length, 2));
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(
      confirmed.map(({ event }) => (event as { messageId?: string }).messageId),
      idsOf(seen),
    );
  });
};
