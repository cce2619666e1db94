import assert from 'node:assert/strict';
import { HandlerTimeoutError, ShutdownError, UnrecoverableError } from '../../../src/errors.js';
import type { MessageContext } from '../../../src/message/context.js';
import { HEADER } from '../../../src/message/headers.js';
import type { Headers } from '../../../src/message/properties.js';
import { encodeMark } from '../../../src/message/wire/batch-header.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { dueKey } from '../../../src/topology/delays.js';
import { pause } from '../../../src/util/clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { Trace, TracedTransport } from '../../support/traced-transport.js';
import { BusBench, heard, recorded } from '../bus-bench.js';
import { names } from './fixtures.js';

describe('the way of a message', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  const failing = () => {
    throw new Error('failed');
  };

  it('that can not all be read ends there, before anything has a copy of it come back without that', async () => {
    const trace = new Trace();
    trace.onDelivery = (delivery) => void Object.assign(delivery, { unreadable: "header 'x'" });
    const away = async () => Promise.reject(new Error('the store is away'));
    const stores = memoryStores(bench.clock);
    const bus = bench.bus({
      transport: new TracedTransport(bench.transport, trace),
      stores: { ...stores, batches: Object.assign(Object.create(stores.batches ?? null), { begin: away }) },
    });
    const [letters, released] = [heard(bus, 'message.deadLettered'), heard(bus, 'message.released')];
    bus.handle('a', () => {});
    await bus.start();
    const headers = { [HEADER.batch]: encodeMark({ id: 'b', number: 1 }) };
    await bench.publishRaw('hopline.events/a', '{}', { headers });
    await bench.clock.settle();
    assert.deepEqual([letters.map(({ reason }) => reason), released], [['undecodable'], []]);
  });

  describe('that fails', () => {
    it('is tried again after each pause of its policy, and then dead-lettered, byte for byte as it was published', async () => {
      const bus = bench.bus();
      const attempts: number[] = [];
      bus.handle(
        'order.placed',
        (_payload, { attempt }) => {
          attempts.push(attempt, bench.clock.monotonic());
          throw new RangeError('no luck');
        },
        { retry: { tries: 3, backoff: ['1s', '30s'] } },
      );
      await bus.start();
      const body = '{ "odd" : "spacing" }';
      await bench.publishRaw('hopline.events/order.placed', body, {
        headers: { mine: 1 },
        contentType: 'application/json',
      });
      await bench.clock.advance(31_000);
      assert.deepEqual(attempts, [1, 0, 2, 1_000, 3, 31_000]);

      const [letter, ...more] = await bench.deadLetters('svc');
      assert.deepEqual(more, []);
      assert.equal(letter?.body.toString(), body);
      assert.equal(letter?.properties.contentType, 'application/json');
      const { headers } = letter?.properties ?? {};
      assert.equal(headers?.mine, 1);
      assert.equal(headers?.[HEADER.reason], 'exhausted');
      assert.equal(headers?.[HEADER.error], 'RangeError: no luck');
      assert.equal(headers?.[HEADER.attempt], 3);
      assert.equal(headers?.[HEADER.exceptions], 3);
      assert.equal(headers?.[HEADER.routingKey], 'order.placed');
      assert.equal(headers?.[HEADER.queue], 'svc');
    });

    it('is dead-lettered at once when the handler says that trying again cannot help', async () => {
      const bus = bench.bus().handle('a', () => {
        throw new UnrecoverableError('the card is refused');
      });
      const letters = heard(bus, 'message.deadLettered');
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.settle();
      assert.deepEqual(
        letters.map(({ reason, attempt }) => [reason, attempt]),
        [['unrecoverable', 1]],
      );
    });

    it('is dead-lettered as expired when the next attempt would come after retryFor', async () => {
      const bus = bench.bus().handle('a', failing, { retry: { tries: 100, backoff: '1m', retryFor: '5m' } });
      const letters = heard(bus, 'message.deadLettered');
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.advance(3_600_000);
      assert.deepEqual(
        letters.map(({ reason, attempt }) => [reason, attempt]),
        [['expired', 6]],
      );
    });

    it('is not ended by retryFor because the clock of a worker has jumped ahead', async () => {
      const bus = bench.bus().handle('a', failing, { retry: { tries: 100, backoff: '1m', retryFor: '5m' } });
      const letters = heard(bus, 'message.deadLettered');
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.advance(90_000);
      bench.clock.setWall(bench.clock.now() + 86_400_000);
      await bench.clock.advance(120_000);
      assert.deepEqual(letters, []);
      await bench.clock.advance(3_600_000);
      assert.deepEqual(
        letters.map(({ reason, attempt }) => [reason, attempt]),
        [['expired', 6]],
      );
    });

    it('is ended by retryFor though the clock of a worker goes wrong backwards, and counts what its attempts take', async () => {
      const bus = bench.bus().handle(
        'a',
        async () => {
          await pause(bench.clock, 30_000);
          throw new Error('failed');
        },
        { retry: { tries: 100, backoff: '1m', retryFor: '5m' } },
      );
      const letters = heard(bus, 'message.deadLettered');
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.advance(10_000);
      bench.clock.setWall(bench.clock.now() - 86_400_000);
      await bench.clock.advance(3_600_000);
      // Begun after 0, 90, 180 and 270 s: a fifth would begin after 360 s.
      assert.deepEqual(
        letters.map(({ reason, attempt }) => [reason, attempt]),
        [['expired', 4]],
      );
    });

    it('goes by the clock if it comes from a version that did not count what its attempts and pauses take', async () => {
      const bus = bench.bus().handle('a', failing, { retry: { tries: 100, backoff: '1m', retryFor: '5m' } });
      const letters = heard(bus, 'message.deadLettered');
      await bus.start();
      const firstAttemptAt = new Date(bench.clock.now() - 250_000).toISOString();
      await bench.publishRaw(`${names.delayOut}/${dueKey('q', 'svc')}`, '{}', {
        headers: {
          [HEADER.exchange]: 'hopline.events',
          [HEADER.routingKey]: 'a',
          [HEADER.attempt]: 3,
          [HEADER.firstAttemptAt]: firstAttemptAt,
        },
      });
      await bench.clock.advance(60_000);
      assert.deepEqual(
        letters.map(({ reason, attempt }) => [reason, attempt]),
        [['expired', 3]],
      );
    });

    it('waits a minute where the backoff is nonsense, and the log says once what and whose', async () => {
      const rejection = () => Promise.reject(new Error('nobody waits for it'));
      const odd: [answer: () => unknown, told: RegExp | undefined][] = [
        [() => '5 minutes', /"5 minutes"/],
        [() => Number.NaN, /NaN/],
        [() => -1, /-1/],
        [() => undefined, /undefined/],
        [() => '401d', /"401d"/],
        [rejection, /an object \(Promise\)/],
        [() => Proxy.revocable({}, {}).proxy, /an object/],
        [failing, undefined],
      ];
      for (const [index, [backoff, told]] of odd.entries()) {
        const bus = bench.bus({ service: `svc${index}` });
        const attempts: number[] = [];
        bus.handle(
          'a',
          () => {
            attempts.push(bench.clock.monotonic());
            throw new Error('failed');
          },
          { name: `Handler${index}`, retry: { tries: 4, backoff: backoff as never } },
        );
        await bus.start();
        await bus.publish('a', {});
        await bench.clock.advance(300_000);
        const [first = 0] = attempts;
        assert.deepEqual(
          attempts.map((at) => at - first),
          [0, 60_000, 120_000, 180_000],
        );
        const lines = bench.log.splice(0).filter(({ message }) => message.includes("can't be followed"));
        assert.equal(lines.length, 1, `${lines.length} lines of ${backoff}`);
        const [line] = lines;
        assert.equal(line?.level, 'warn');
        assert.equal(line?.fields.handler, `Handler${index}`);
        if (told) assert.match(String(line?.message), told);
        else assert.match(String(line?.fields.err), /failed/);
        await bench.closeBuses(30_000);
      }
    });

    it('is dated by the beginning of its first attempt, however long that took', async () => {
      const began = new Date(bench.clock.now()).toISOString();
      const bus = bench.bus().handle(
        'a',
        async () => {
          await pause(bench.clock, 10_000);
          throw new Error('failed');
        },
        { retry: { tries: 2, backoff: '1m' } },
      );
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.advance(80_000);
      const [letter] = await bench.deadLetters('svc');
      assert.equal(letter?.properties.headers[HEADER.firstAttemptAt], began);
      assert.equal(
        Date.parse(String(letter?.properties.headers[HEADER.failedAt])) - Date.parse(began),
        80_000,
      );
    });

    it('runs again at once, in this process, with a backoff of 0', async () => {
      const attempts: number[] = [];
      const bus = bench.bus().handle(
        'a',
        (_payload, { attempt }) => {
          attempts.push(attempt);
          if (attempt < 4) throw new Error('failed');
        },
        { retry: { tries: 5, backoff: 0 } },
      );
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.settle();
      assert.deepEqual(attempts, [1, 2, 3, 4]);
      assert.deepEqual(await bench.deadLetters('svc'), []);
    });

    it('tells failed() once, with the error, the payload and the last attempt, before it is dead-lettered', async () => {
      const told: unknown[] = [];
      const bus = bench.bus();
      const events = recorded(bus, 'handler.failed', 'message.retried', 'message.deadLettered');
      bus.handle('a', failing, {
        retry: { tries: 2, backoff: '1s' },
        failed: (error, payload, { attempt }) => told.push(error.message, payload, attempt, [...events]),
      });
      await bus.start();
      await bus.publish('a', { id: 7 });
      await bench.clock.advance(10_000);
      assert.deepEqual(told, [
        'failed',
        { id: 7 },
        2,
        ['handler.failed', 'message.retried', 'handler.failed'],
      ]);
      assert.equal(events.at(-1), 'message.deadLettered');
    });

    it('is dead-lettered with the reason of both when failed() fails too', async () => {
      const bus = bench.bus().handle('a', failing, {
        retry: { tries: 1 },
        failed: () => Promise.reject(new TypeError('and again')),
      });
      const dead = heard(bus, 'message.deadLettered');
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.settle();
      const [letter] = await bench.deadLetters('svc');
      assert.equal(
        letter?.properties.headers[HEADER.error],
        'Error: failed; then failed() threw TypeError: and again',
      );
      assert.match(String(dead[0]?.failedError), /and again/);
    });

    it('gives failed() an Error whatever was thrown', async () => {
      const told: Error[] = [];
      const bus = bench.bus().handle('a', () => Promise.reject(null), {
        retry: { tries: 1 },
        failed: (error) => told.push(error),
      });
      await bus.start();
      await bus.publish('a', {});
      await bench.clock.settle();
      assert.ok(told[0] instanceof Error);
      assert.equal(told[0].cause, null);
    });

    it('gives the next attempt what was published, not what the last one made of it', async () => {
      const seen: unknown[] = [];
      const bus = bench.bus().handle(
        'a',
        (payload, context) => {
          seen.push(structuredClone(payload), { ...context.headers });
          payload.list.push('mine');
          (context.headers as Headers).traceparent = 'changed';
          if (context.attempt === 1) throw new Error('failed');
        },
        { retry: { backoff: 0 } },
      );
      await bus.start();
      await bus.publish('a', { list: [] });
      await bench.clock.settle();
      assert.deepEqual([seen[0], seen[2]], [{ list: [] }, { list: [] }]);
    });

    it('starts at attempt 1 with forged headers, and stays uncounted after a release', async () => {
      const attempts: number[] = [];
      const bus = bench.bus().handle(
        'a',
        (_payload, context) => {
          attempts.push(context.attempt);
          if (attempts.length === 1) context.release('1s');
          else throw new Error('failed');
        },
        { retry: { tries: 9, maxExceptions: 2, backoff: '1s' } },
      );
      const letters = heard(bus, 'message.deadLettered');
      await bus.start();
      const headers = { [HEADER.attempt]: 9, [HEADER.exceptions]: 9, [HEADER.releases]: 9 };
      await bench.publishRaw('hopline.events/a', '{}', { headers });
      await bench.clock.advance(10_000);
      assert.deepEqual(attempts, [1, 1, 2], 'two throws are allowed, and the forged nine do not count');
      assert.equal(letters.length, 1);
    });
  });

  describe('that takes too long', () => {
    it('has its signal fired and fails as timed out; the slot is free after the grace', async () => {
      const reasons: unknown[] = [];
      const bus = bench.bus({ concurrency: 1 });
      const events = recorded(
        bus,
        'handler.timedOut',
        'handler.failed',
        'handler.succeeded',
        'message.retried',
      );
      bus.handle(
        'slow',
        (_payload, { signal }) => {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          return deferred().promise;
        },
        { timeout: '10s', retry: { tries: 2, backoff: '1h' } },
      );
      bus.handle('quick', () => {});
      await bus.start();
      await bus.publish('slow', {});
      await bus.publish('quick', {});
      await bench.clock.advance(10_000);
      assert.ok(reasons[0] instanceof HandlerTimeoutError);
      assert.deepEqual(events, ['handler.timedOut']);
      await bench.clock.advance(4_999);
      assert.deepEqual(events, ['handler.timedOut']);
      await bench.clock.advance(1);
      assert.deepEqual(events, [
        'handler.timedOut',
        'handler.failed',
        'message.retried',
        'handler.succeeded',
      ]);
    });
  });

  describe('whose bus stops', () => {
    const interrupted = async (onAbort: (reason: unknown) => unknown) => {
      const reasons: unknown[] = [];
      const first = bench.bus().handle('a', async (_payload, { signal }) => {
        const aborted = deferred();
        signal.addEventListener('abort', () => aborted.resolve());
        await aborted.promise;
        reasons.push(signal.reason);
        return onAbort(signal.reason);
      });
      await first.start();
      await first.publish('a', {});
      await bench.clock.settle();
      await bench.closeBuses(30_000);
      assert.ok(reasons[0] instanceof ShutdownError);
      const attempts: number[] = [];
      const second = bench.bus().handle('a', (_payload, { attempt }) => attempts.push(attempt));
      await second.start();
      await bench.clock.settle();
      return attempts;
    };

    it('goes back to its place, uncounted, when its handler ends on the signal with a throw', async () => {
      const attempts = await interrupted((reason) => Promise.reject(reason));
      assert.deepEqual(attempts, [1]);
    });

    it('is done when its handler ends on the signal by returning', async () => {
      const attempts = await interrupted(() => 'done in time');
      assert.deepEqual(attempts, []);
    });
  });

  it('runs through the middleware, the first outermost, within the timeout', async () => {
    const log: string[] = [];
    const wrap =
      (name: string) => async (_payload: unknown, _context: MessageContext, next: () => unknown) => {
        log.push(`${name} in`);
        const result = await next();
        log.push(`${name} out`);
        return result;
      };
    const bus = bench
      .bus({ middleware: [wrap('outer'), wrap('inner')] })
      .handle('a', () => log.push('handler'));
    await bus.start();
    await bus.publish('a', {});
    await bench.clock.settle();
    assert.deepEqual(log, ['outer in', 'inner in', 'handler', 'inner out', 'outer out']);
  });

  it('tells how each handler ended once: a release or a discard is neither success nor failure, fail is a failure', async () => {
    let released = false;
    const bus = bench.bus().handle('a', (what: string, context) => {
      if (what === 'release' && !released) context.release('1s');
      if (what === 'release') released = true;
      if (what === 'discard') context.discard();
      if (what === 'fail') context.fail('no');
    });
    const told: string[] = [];
    for (const name of ['handler.succeeded', 'handler.failed'] as const)
      bus.on(name, ({ messageId }) => told.push(`${messageId} ${name}`));
    for (const name of ['message.released', 'message.discarded', 'message.deadLettered'] as const)
      bus.on(name, ({ messageId }) => told.push(`${messageId} ${name}`));
    await bus.start();
    for (const what of ['discard', 'fail', 'release', 'return'])
      await bus.publish('a', what, { messageId: what });
    await bench.clock.advance(1_000);
    assert.deepEqual(told.toSorted(), [
      'discard message.discarded',
      'fail handler.failed',
      'fail message.deadLettered',
      'release handler.succeeded',
      'release message.released',
      'return handler.succeeded',
    ]);
  });

  it('is told step by step, in order, with what it is about', async () => {
    const bus = bench.bus().handle(
      'a',
      (_payload, { attempt }) => {
        if (attempt === 1) throw new Error('failed');
      },
      { name: 'Orders', retry: { backoff: '1s' } },
    );
    const order = recorded(
      bus,
      ...(['message.published', 'message.confirmed', 'handler.started', 'handler.failed'] as const),
      ...(['message.retried', 'handler.succeeded', 'message.deadLettered'] as const),
    );
    const succeeded = heard(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('a', {}, { messageId: 'm1' });
    await bench.clock.advance(1_000);
    assert.deepEqual(
      order.filter((name) => name !== 'message.confirmed'),
      [
        'message.published',
        'handler.started',
        'handler.failed',
        'message.retried',
        'handler.started',
        'handler.succeeded',
      ],
    );
    const { durationMs, ...about } = succeeded[0] ?? assert.fail('nothing succeeded');
    assert.equal(durationMs, 0);
    assert.deepEqual(about, {
      service: 'svc',
      queue: 'svc',
      handler: 'Orders',
      exchange: 'hopline.events',
      routingKey: 'a',
      messageId: 'm1',
      attempt: 2,
      tries: 5,
      lost: false,
      sincePublishedMs: 1_000,
      waitMs: undefined,
    });
  });
});
