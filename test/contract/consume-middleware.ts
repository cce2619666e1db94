import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { MiddlewareError } from '../../src/errors/handling.js';
import { type MessageContext, UnrecoverableError } from '../../src/index.js';
import type { MessageProperties } from '../../src/message/properties.js';
import { PACK_CONTENT_TYPE } from '../../src/message/wire/pack.js';
import type { ConsumedMessage, ConsumeNext, ConsumeResult } from '../../src/pipeline/consume-middleware.js';
import type { MiddlewareObject } from '../../src/pipeline/middleware.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, publishersHeaders, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** Consume middleware that remembers what it has seen, and how that ended. */
class Audit implements MiddlewareObject {
  readonly deliveries: ConsumedMessage[] = [];
  readonly results: ConsumeResult[] = [];

  async consume(delivery: ConsumedMessage, next: ConsumeNext): Promise<void> {
    this.deliveries.push(delivery);
    this.results.push(await next());
  }

  /** Endings as `1 retried` and `2 deadLettered exhausted`, with the number of the attempt. */
  get endings(): string[] {
    return this.results.map(({ outcome, reason }, index) =>
      [this.deliveries[index]?.attempt, outcome, ...(reason ? [reason] : [])].join(' '),
    );
  }
}

/** What of an error's message a result has. */
const messageOf = ({ error }: ConsumeResult) => (error as Error | undefined)?.message;

const bodyOf = ({ body }: ConsumedMessage) => body.toString();

const foreign = (fx: BusFixture, routingKey: string, body: Buffer, properties: MessageProperties = {}) =>
  fx.foreign.publish({ exchange: fx.events, routingKey, body, properties });

export const consumeMiddleware: Theme = (test) => {
  const waitFor = (fx: BusFixture, audit: Audit, ...endings: string[]) =>
    fx.eventually(() => assert.deepEqual(audit.endings, endings));

  test('it sees what is delivered, before its body is read, and how that has ended', async (fx) => {
    const audit = new Audit();
    const bus = fx.bus('mailer', { middleware: [audit] });
    bus.handle('order.placed', () => {}, { name: 'Placed' });
    await bus.start();
    await bus.publish('order.placed', { id: 1 }, { messageId: 'm', headers: { tenant: 'acme' } });
    await waitFor(fx, audit, '1 succeeded');
    const [delivery = assert.fail()] = audit.deliveries;
    const { messageId, routingKey, queue, handler, attempt, redelivered, contentType } = delivery;
    assert.deepEqual(
      [messageId, routingKey, queue, handler, attempt, redelivered, contentType, bodyOf(delivery)],
      ['m', 'order.placed', fx.name('mailer'), 'Placed', 1, false, 'application/json', '{"id":1}'],
    );
    assert.deepEqual(publishersHeaders(delivery.headers), { tenant: 'acme' });
  });

  test('it sees each attempt, also those that follow each other at once, and which is the last', async (fx) => {
    const audit = new Audit();
    const bus = fx.bus('mailer', { middleware: [audit] }).handle(
      'k',
      (_payload, { attempt }) => {
        throw new Error(`away ${attempt}`);
      },
      { retry: { tries: 3, backoff: [0, '100ms'] } },
    );
    await bus.start();
    await bus.publish('k', 1);
    await fx.deadLetter(fx.name('mailer'));
    await waitFor(fx, audit, '1 retried', '2 retried', '3 deadLettered exhausted');
    assert.deepEqual(
      audit.results.map(({ delayMs }) => delayMs),
      [0, 100, undefined],
    );
    assert.deepEqual(audit.results.map(messageOf), ['away 1', 'away 2', 'away 3']);
  });

  test('it sees what a handler releases, discards and gives up', async (fx) => {
    const audit = new Audit();
    const bus = fx.bus('mailer', { middleware: [audit], concurrency: 1 });
    const calls: ((context: MessageContext) => void)[] = [
      (context) => context.release('100ms'),
      (context) => context.discard(),
      (context) => context.fail('no use'),
    ];
    bus.handle('k', (_payload, context) => calls.shift()?.(context));
    await bus.start();
    await bus.publish('k', 1);
    await waitFor(fx, audit, '1 released', '1 discarded');
    await bus.publish('k', 2);
    await fx.deadLetter(fx.name('mailer'));
    await waitFor(fx, audit, '1 released', '1 discarded', '1 deadLettered rejected');
    assert.equal(audit.results[0]?.delayMs, 100);
  });

  test('it sees what is skipped, and what a limit releases, though no handler runs', async (fx) => {
    const audit = new Audit();
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { middleware: [audit], concurrency: 1 });
    bus.handle('k', seen.handle, { idempotent: {}, rateLimit: { allow: 1, every: '1s' } });
    await bus.start();
    await bus.publish('k', 1, { messageId: 'one' });
    await waitFor(fx, audit, '1 succeeded');
    await bus.publish('k', 1, { messageId: 'one' });
    await waitFor(fx, audit, '1 succeeded', '1 skipped handled');
    await bus.publish('k', 2, { messageId: 'two' });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await fx.eventually(() => assert.equal(audit.endings.at(-1), '1 succeeded'));
    assert.deepEqual(new Set(audit.endings.slice(2, -1)), new Set(['1 released']));
    assert.ok((audit.results[2]?.delayMs ?? 0) >= 100);
  });

  test('it sees what can not be decoded, and what no handler matches', async (fx) => {
    const audit = new Audit();
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { middleware: [audit], unhandledRetryFor: 0 });
    bus.handle('k', seen.handle);
    await bus.start();
    await foreign(fx, 'k', Buffer.from('{'), { contentType: 'application/json' });
    await waitFor(fx, audit, '1 deadLettered undecodable');
    await fx.foreign.bind(fx.name('mailer'), fx.events, 'other');
    await foreign(fx, 'other', Buffer.from('{}'));
    await waitFor(fx, audit, '1 deadLettered undecodable', '1 deadLettered no-handler');
    assert.deepEqual(
      audit.deliveries.map(({ handler }) => handler !== undefined),
      [true, false],
    );
    await fx.deadLetters(fx.name('mailer'), 2);
    assert.deepEqual(seen.calls, []);
  });

  test('it sees the messages of a pack one by one, and a pack that can not be taken apart as a whole', async (fx) => {
    const audit = new Audit();
    const bus = fx.bus('mailer', { middleware: [audit], concurrency: 1 }).handle('k', () => {});
    await bus.start();
    await bus.publishMany('k', [1, 2, 3], { pack: 10 });
    await waitFor(fx, audit, '1 succeeded', '1 succeeded', '1 succeeded');
    assert.deepEqual(audit.deliveries.map(bodyOf), ['1', '2', '3']);
    await foreign(fx, 'k', Buffer.from(''), { contentType: PACK_CONTENT_TYPE });
    await fx.eventually(() => assert.equal(audit.endings[3], '1 deadLettered undecodable'));
    await fx.deadLetter(fx.name('mailer'));
  });

  test('it sees what is given up after crashes, though that is decided before any attempt', async (fx) => {
    const seen = fx.recorder(async ({ context: { signal } }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason;
    });
    const first = fx.bus('mailer', { stopDeadline: '400ms' }).handle('k', seen.handle);
    await first.start();
    await first.publish('k', 1, { messageId: 'poison' });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await fx.stop(first);
    const audit = new Audit();
    const bus = fx.bus('mailer', { middleware: [audit] }).handle('k', seen.handle);
    bus.watchCrashes({
      watch: () => {},
      begins: async () => ({ kind: 'crashed', deaths: ['exit code 1'] }),
      ended: () => {},
      stop: () => {},
    });
    await bus.start();
    await fx.deadLetter(fx.name('mailer'));
    await waitFor(fx, audit, '1 deadLettered crashed');
    assert.deepEqual([audit.deliveries[0]?.messageId, audit.deliveries[0]?.redelivered], ['poison', true]);
    assert.equal(seen.calls.length, 1);
  });

  test('it sees what goes back when the bus stops', async (fx) => {
    const audit = new Audit();
    const seen = fx.recorder(async ({ context: { signal } }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason;
    });
    const bus = fx.bus('mailer', { middleware: [audit], stopDeadline: '400ms' }).handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await fx.stop(bus);
    assert.deepEqual(audit.endings, ['1 returned']);
  });

  test('that of the bus is outside, the first outermost, and that of a handler inside; each once an attempt', async (fx) => {
    const calls: string[] = [];
    const wrap = (name: string): MiddlewareObject => ({
      async consume(_delivery, next) {
        calls.push(`${name} in`);
        const { outcome } = await next();
        calls.push(`${name} ${outcome}`);
      },
      handle(_payload, _context, next) {
        calls.push(`${name} handles`);
        return next();
      },
    });
    const bus = fx.bus('mailer', { middleware: [wrap('first'), wrap('second')] });
    bus.handle('a', () => void calls.push('a'), { middleware: [wrap('own')] });
    bus.handle('b', () => void calls.push('b'));
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('a', 1);
    await fx.eventually(() => assert.equal(calls.at(-1), 'first succeeded'));
    assert.deepEqual(calls.splice(0), [
      ...['first in', 'second in', 'own in', 'first handles', 'second handles', 'own handles', 'a'],
      ...['own succeeded', 'second succeeded', 'first succeeded'],
    ]);
    await bus.publish('b', 1);
    await fx.eventually(() => assert.equal(calls.at(-1), 'first succeeded'));
    assert.deepEqual(calls, [
      ...['first in', 'second in', 'first handles', 'second handles', 'b'],
      ...['second succeeded', 'first succeeded'],
    ]);
    assert.equal(succeeded.length, 2);
  });

  test('a body that it replaces is decoded in place of the other, and what travels on has the bytes that came', async (fx) => {
    const reversed = (body: Buffer) => Buffer.from(body).reverse();
    const inner = new Audit();
    const seen = fx.recorder(({ attempt }) => {
      throw new Error(`away ${attempt}`);
    });
    const bus = fx.bus('mailer', {
      middleware: [
        {
          consume: ({ body, contentType }, next) =>
            contentType === 'text/reversed'
              ? next({ body: reversed(body), contentType: 'application/json', contentEncoding: '' })
              : next(),
        },
        inner,
      ],
    });
    bus.handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const sent = reversed(Buffer.from('{"id":1}'));
    const properties = { contentType: 'text/reversed', contentEncoding: 'x-own' };
    await foreign(fx, 'k', sent, properties);
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual(seen.payloads, [{ id: 1 }, { id: 1 }]);
    assert.deepEqual(letter.body, sent);
    const { contentType, contentEncoding } = letter.properties;
    assert.deepEqual({ contentType, contentEncoding }, properties);
    const [first] = inner.deliveries;
    assert.deepEqual(
      [first?.body.toString(), first?.contentType, first?.contentEncoding],
      ['{"id":1}', 'application/json', undefined],
    );
  });

  test('an attempt that follows at once begins with the bytes that came, not with what replaced them before', async (fx) => {
    const bodies: string[] = [];
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('away');
    });
    const unwrap: MiddlewareObject = {
      consume: ({ body, contentType }, next) => {
        bodies.push(`${contentType} ${body}`);
        return next({ body: body.subarray(1), contentType: 'application/json' });
      },
    };
    const bus = fx.bus('mailer', { middleware: [unwrap] });
    bus.handle('k', seen.handle, { retry: { tries: 2, backoff: 0 } });
    await bus.start();
    await foreign(fx, 'k', Buffer.from('!{"id":1}'), { contentType: 'text/wrapped' });
    await fx.eventually(() => assert.deepEqual(bodies, Array(2).fill('text/wrapped !{"id":1}')));
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ id: 1 }, { id: 1 }]));
  });

  test('an error before next() is a failed attempt, by the policy of the handler, and outer middleware sees that', async (fx) => {
    const audit = new Audit();
    const seen = fx.recorder();
    const refuse = ({ attempt }: ConsumedMessage, next: ConsumeNext) => {
      if (attempt < 3) throw new Error(`no tenant ${attempt}`);
      return next();
    };
    const bus = fx.bus('mailer', { middleware: [audit] });
    bus.handle('k', seen.handle, {
      retry: { tries: 3, backoff: [0, '100ms'] },
      middleware: [{ consume: refuse }],
    });
    bus.handle('poison', seen.handle, {
      middleware: [
        {
          async consume() {
            throw new UnrecoverableError('no such tenant');
          },
        },
      ],
    });
    await bus.start();
    await bus.publish('k', 1);
    await waitFor(fx, audit, '1 retried', '2 retried', '3 succeeded');
    assert.deepEqual(audit.results.map(messageOf), ['no tenant 1', 'no tenant 2', undefined]);
    assert.deepEqual(seen.attempts, [3]);
    await bus.publish('poison', 1);
    await fx.deadLetter(fx.name('mailer'));
    await fx.eventually(() => assert.equal(audit.endings[3], '1 deadLettered unrecoverable'));
  });

  test('an error before next() changes nothing about a message that no handler is to get', async (fx) => {
    fx.expectError(/consume middleware failed/);
    const refuse: MiddlewareObject = {
      consume: () => Promise.reject(new Error('no tenant')),
    };
    const bus = fx.bus('mailer', { middleware: [refuse], unhandledRetryFor: 0 }).handle('k', () => {});
    const letters = watch(bus, 'message.deadLettered');
    await bus.start();
    await fx.foreign.bind(fx.name('mailer'), fx.events, 'other');
    await foreign(fx, 'other', Buffer.from('{}'));
    await foreign(fx, 'k', Buffer.from(''), { contentType: PACK_CONTENT_TYPE });
    await fx.deadLetters(fx.name('mailer'), 2);
    assert.deepEqual(letters.map(({ event }) => (event as { reason: string }).reason).toSorted(), [
      'no-handler',
      'undecodable',
    ]);
  });

  test('an error after next() is logged, and how the message has ended stands', async (fx) => {
    fx.expectError(/threw after next/);
    const audit = new Audit();
    const seen = fx.recorder();
    const late: MiddlewareObject = {
      async consume(_delivery, next) {
        await next();
        throw new Error('the audit log is away');
      },
    };
    const bus = fx.bus('mailer', { middleware: [audit, late] }).handle('k', seen.handle);
    await bus.start();
    await bus.publish('k', 1);
    await waitFor(fx, audit, '1 succeeded');
    await fx.stop(bus);
    assert.deepEqual([seen.calls.length, (await fx.foreign.take(fx.name('mailer'))).length], [1, 0]);
    assert.equal(fx.log.filter(({ level }) => level === 'error').length, 1);
  });

  test('one that does not call next() discards the message', async (fx) => {
    const audit = new Audit();
    const seen = fx.recorder();
    const bus = fx.bus('mailer', { middleware: [audit, { consume: () => {} }] }).handle('k', seen.handle);
    const discarded = watch(bus, 'message.discarded');
    await bus.start();
    await bus.publish('k', 1);
    await waitFor(fx, audit, '1 discarded');
    assert.deepEqual([seen.calls.length, discarded.length], [0, 1]);
  });

  test('next() runs the handler once, whoever calls it again, and when', async (fx) => {
    const late = deferred();
    const seen = fx.recorder();
    const errors: unknown[] = [];
    const note = (error: unknown) => void errors.push(error);
    const twice: MiddlewareObject = {
      async consume(_delivery, next) {
        await Promise.all([next(), next().catch(note), next().catch(note)]);
        void late.promise.then(() => next()).catch(note);
      },
    };
    const bus = fx.bus('mailer', { middleware: [twice] }).handle('k', seen.handle);
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(succeeded.length, 1));
    await fx.eventually(() => assert.equal(errors.length, 2));
    late.resolve();
    await fx.eventually(() => assert.equal(errors.length, 3));
    assert.ok(errors.every((error) => error instanceof MiddlewareError));
    assert.equal(seen.calls.length, 1);
  });

  test('a wrong change is an error of the call, and so of the attempt', async (fx) => {
    const audit = new Audit();
    const wrong: MiddlewareObject = { consume: (_delivery, next) => next({ body: 'text' as never }) };
    const bus = fx.bus('mailer', { middleware: [audit, wrong] });
    bus.handle('k', () => {}, { retry: { tries: 1 } });
    await bus.start();
    await bus.publish('k', 1);
    await waitFor(fx, audit, '1 deadLettered exhausted');
    assert.match(messageOf(audit.results[0] as ConsumeResult) ?? '', /expected the body .* got "text"/);
    await fx.deadLetter(fx.name('mailer'));
  });

  test('an AsyncLocalStorage in which it calls next() reaches the handler and what that publishes; no other message does', async (fx) => {
    const tenant = new AsyncLocalStorage<unknown>();
    const seen: unknown[] = [];
    const forGood = new AsyncLocalStorage<unknown>();
    const bus = fx.bus('mailer', {
      concurrency: 2,
      middleware: [
        {
          consume(delivery, next) {
            seen.push(['before', forGood.getStore()]);
            forGood.enterWith('entered');
            return tenant.run(delivery.headers.tenant, next);
          },
        },
      ],
    });
    bus.handle(
      'k',
      async (payload, { attempt }) => {
        await null;
        seen.push([payload, tenant.getStore(), forGood.getStore()]);
        if (attempt === 1) throw new Error('again');
      },
      { retry: { tries: 2, backoff: 0 } },
    );
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    for (const name of ['acme', 'globex']) await bus.publish('k', name, { headers: { tenant: name } });
    await fx.eventually(() => assert.equal(succeeded.length, 2));
    const of = (name: string) => seen.filter((each) => Array.isArray(each) && each[0] === name);
    for (const name of ['acme', 'globex'])
      assert.deepEqual(of(name), [
        [name, name, 'entered'],
        [name, name, 'entered'],
      ]);
    assert.deepEqual(
      of('before'),
      Array.from({ length: 4 }, () => ['before', undefined]),
    );
  });
};
