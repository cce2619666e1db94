import assert from 'node:assert/strict';
import {
  AttemptOverError,
  type EventName,
  type Logger,
  type MessageContext,
  StopDeadlineError,
} from '../../src/index.js';
import { PACK_CONTENT_TYPE } from '../../src/message/wire/pack.js';
import { deferred } from '../../src/util/deferred.js';
import { ours, watch } from '../support/bus-fixture.js';
import { unreadable } from '../support/unreadable.js';
import type { Theme } from './theme.js';

const KINDS = Object.keys(unreadable());

/** Every event that a bus may emit here. */
const EVENTS: readonly EventName[] = [
  ...(['bus.starting', 'bus.started', 'bus.stopping', 'bus.stopped', 'connection.up'] as const),
  ...(['message.published', 'message.confirmed', 'consumer.started', 'handler.started'] as const),
  ...(['handler.succeeded', 'handler.failed', 'message.retried', 'message.deadLettered'] as const),
];

/** Whatever a handler, a listener or a publisher does, each delivery ends, and its queue goes on. */
export const endings: Theme = (test) => {
  test('whatever is thrown is retried and dead-lettered as any other, and its queue goes on [row 45]', async (fx) => {
    const told: unknown[] = [];
    const seen = fx.recorder(({ payload, attempt }) => {
      if (!KINDS.includes(payload as string)) return undefined;
      const thrown = unreadable()[payload as string];
      if (attempt > 1) return Promise.reject(thrown);
      throw thrown;
    });
    const bus = fx.bus('mailer', { concurrency: 2 }).handle('k', seen.handle, {
      retry: { tries: 2, backoff: '100ms', on: [{ error: TypeError, then: 'retry', backoff: '200ms' }] },
      failed: (error, payload) => void told.push([error instanceof Error, typeof error.message, payload]),
    });
    const failed = watch(bus, 'handler.failed');
    await bus.start();
    for (const kind of KINDS) await bus.publish('k', kind);
    for (const number of [1, 2, 3]) await bus.publish('k', number);
    const letters = await fx.deadLetters(fx.name('mailer'), KINDS.length);
    assert.deepEqual(letters.map(({ body }) => JSON.parse(body.toString())).toSorted(), KINDS.toSorted());
    for (const letter of letters) {
      const { reason, attempt, error } = ours(letter);
      assert.deepEqual([reason, attempt], ['exhausted', 2]);
      assert.ok(typeof error === 'string' && error.length > 5, 'it says something');
    }
    assert.equal(failed.length, 2 * KINDS.length);
    assert.deepEqual(told.toSorted(), KINDS.map((kind) => [true, 'string', kind]).toSorted());
    await fx.eventually(() => assert.deepEqual(seen.payloads.slice(0).filter(Number).toSorted(), [1, 2, 3]));
    assert.ok(bus.health().ready);
  });

  test('a job that throws what can not be read fails, and its batch ends', async (fx) => {
    const over = fx.recorder();
    const bus = fx.bus('mailer').handle(
      'job',
      () => {
        throw unreadable()['a stack that is a list'];
      },
      { retry: { tries: 1 } },
    );
    bus.handle('over', over.handle);
    await bus.start();
    const batch = bus.batch([
      { key: 'job', payload: 1 },
      { key: 'job', payload: 2 },
    ]);
    await batch.allowFailures().onEnd({ key: 'over', payload: 1 }).dispatch();
    await fx.eventually(() => assert.equal(over.calls.length, 1));
    assert.deepEqual(over.at(0).context.batch?.counts?.failed, 2);
    assert.equal((await fx.deadLetters(fx.name('mailer'), 2)).length, 2);
  });

  test('a step that throws what can not be read is told to the failure step of its chain', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle(
      'step',
      () => {
        throw unreadable()['a proxy that is revoked'];
      },
      { retry: { tries: 1 } },
    );
    bus.handle('broken', seen.handle);
    await bus.start();
    await bus
      .chain([{ key: 'step', payload: 1 }])
      .onFailure({ key: 'broken', payload: 2 })
      .dispatch();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.match(seen.at(0).context.step?.failure?.error ?? '', /^threw/);
    await fx.deadLetter(fx.name('mailer'));
  });

  test('what can not be awaited that a handler returns counts as thrown', async (fx) => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const refusing = Object.defineProperty({}, 'then', { get: () => assert.fail('asked') });
    const throwing = { then: () => assert.fail('awaited') };
    const returns = [proxy, refusing, throwing];
    const bus = fx.bus('mailer').handle('k', (index: number) => returns[index], { retry: { tries: 1 } });
    await bus.start();
    for (const index of returns.keys()) await bus.publish('k', index);
    await fx.deadLetters(fx.name('mailer'), returns.length);
  });

  test('context.fail takes whatever was caught', async (fx) => {
    const bus = fx
      .bus('mailer')
      .handle('k', (kind: string, context) => context.fail(unreadable()[kind] as Error));
    await bus.start();
    for (const kind of KINDS) await bus.publish('k', kind);
    const letters = await fx.deadLetters(fx.name('mailer'), KINDS.length);
    assert.deepEqual(new Set(letters.map((letter) => ours(letter).reason)), new Set(['rejected']));
  });

  test('listeners that reject, to whatever event, and a logger that throws leave messages and stop() as they are', async (fx) => {
    const refuse = (): never => {
      throw new Error('the log is full');
    };
    const log: Logger = { debug: refuse, info: refuse, warn: refuse, error: refuse };
    const seen = fx.recorder(({ payload, context }) => {
      context.log.warn({ payload }, 'a line of the handler');
      if (payload === 'bad') throw new Error('bad');
    });
    const bus = fx.bus('mailer', { log }).handle('k', seen.handle, {
      retry: { tries: 2, backoff: '100ms' },
      failed: () => Promise.reject(new Error('failed() fails, too')),
    });
    const heard = new Set<EventName>();
    for (const name of EVENTS) {
      bus.on(name, async () => {
        heard.add(name);
        throw new Error(`from a listener of ${name}`);
      });
    }
    const { write } = process.stderr;
    process.stderr.write = () => true;
    try {
      await bus.start();
      for (const payload of ['good', 'bad', 'fine']) await bus.publish('k', payload);
      await fx.deadLetter(fx.name('mailer'));
      await fx.eventually(() => assert.equal(seen.calls.length, 4));
      await fx.stop(bus);
    } finally {
      process.stderr.write = write;
    }
    assert.deepEqual(
      EVENTS.filter((name) => !heard.has(name)),
      [],
    );
    assert.equal(bus.health().state, 'stopped');
  });

  test('what a context decides too late is said in the log, and changes nothing', async (fx) => {
    const contexts: MessageContext[] = [];
    const bus = fx.bus('mailer').handle('k', (_payload, context) => void contexts.push(context), {});
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.chain([{ key: 'k', payload: 1 }]).dispatch();
    await fx.eventually(() => assert.equal(succeeded.length, 1));
    const context = contexts[0] ?? assert.fail('it was not called');
    context.release('1s');
    context.fail('too late');
    context.discard();
    context.step?.pass({ id: 1 });
    context.step?.append({ key: 'k', payload: 2 });
    context.step?.prepend({ key: 'k', payload: 2 });
    context.step?.replace([{ key: 'k', payload: 2 }]);
    const calls = ['release', 'fail', 'discard', 'step.pass', 'step.append', 'step.prepend', 'step.replace'];
    assert.deepEqual(
      fx.log.filter(({ level }) => level === 'warn').map(({ message }) => message),
      calls.map(
        (call) => `context.${call}() changes nothing: what becomes of the message was decided before`,
      ),
    );
    await assert.rejects(
      context.once('part', () => assert.fail('it was done')),
      AttemptOverError,
    );
    // Nothing about publishing depends on the attempt.
    await context.publish('k', 3);
    await fx.eventually(() => assert.equal(contexts.length, 2));
  });

  test('in failed() nothing is decided any more, and parts can still be done', async (fx) => {
    const parts: unknown[] = [];
    const bus = fx.bus('mailer').handle(
      'k',
      () => {
        throw new Error('no');
      },
      {
        retry: { tries: 1 },
        failed: async (_error, _payload, context) => {
          context.release('1s');
          parts.push(await context.once('note', () => 'noted'));
        },
      },
    );
    await bus.start();
    await bus.publish('k', 1);
    assert.equal(ours(await fx.deadLetter(fx.name('mailer'))).reason, 'exhausted');
    assert.deepEqual(parts, ['noted']);
    assert.ok(fx.log.some(({ message }) => message.startsWith('context.release() changes nothing')));
  });

  test('a job adds no others when its attempt is over', async (fx) => {
    const gate = deferred();
    const late = deferred<unknown>();
    const bus = fx.bus('mailer').handle('job', (_payload, { batch }) => {
      void gate.promise.then(() => batch?.add([{ key: 'job', payload: 2 }])).then(late.resolve, late.resolve);
    });
    const finished = watch(bus, 'batch.finished');
    await bus.start();
    await bus.batch([{ key: 'job', payload: 1 }]).dispatch();
    await fx.eventually(() => assert.equal(finished.length, 1));
    gate.resolve();
    assert.ok((await late.promise) instanceof AttemptOverError);
  });

  test('items of a pack whose forged id is as long as an id can be are retried and dead-lettered, each under an id of its own [row 46]', async (fx) => {
    const seen = fx.recorder(({ payload }) => {
      if (payload === 2) throw new Error('no');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const properties = { messageId: 'i'.repeat(254), contentType: PACK_CONTENT_TYPE };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '1\n2\n3\n', properties });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '2');
    assert.deepEqual([ours(letter).reason, ours(letter).attempt], ['exhausted', 2]);
    assert.deepEqual(seen.payloads.toSorted(), [1, 2, 2, 3]);
    const ids = seen.calls.map(({ context }) => context.messageId ?? assert.fail('it has no id'));
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.includes(letter.properties.messageId ?? ''));
    await bus.publish('k', 4);
    await fx.eventually(() => assert.ok(seen.payloads.includes(4)));
  });

  test('a handler that returns says whether its ack can still be sent', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => (payload === 'long' ? gate.promise : undefined));
    const bus = fx.bus('mailer').handle('k', seen.handle);
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 'short');
    await fx.eventually(() => assert.equal(succeeded.length, 1));
    await bus.publish('k', 'long');
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await assert.rejects(fx.outcome(bus.stop({ deadline: '100ms' })), StopDeadlineError);
    gate.resolve();
    await fx.eventually(() => assert.equal(succeeded.length, 2));
    const events = succeeded.map(({ event }) => event as { readonly lost: boolean });
    assert.deepEqual(
      events.map(({ lost }) => lost),
      [false, true],
    );
    assert.equal((await fx.taken(fx.name('mailer'), 1)).length, 1, 'it comes again');
  });
};
