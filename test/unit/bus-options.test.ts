import assert from 'node:assert/strict';
import type { BusOptions } from '../../src/bus/options.js';
import { busSettings } from '../../src/bus/options.js';
import { NotStartedError, OptionsError, StoppedError } from '../../src/errors.js';
import { Bus, memory } from '../../src/index.js';
import { BusBench } from './bus-bench.js';
import { CANARY, problemsOf } from './option-problems.js';

const busProblems = (options: object) =>
  problemsOf(() => new Bus({ service: 'shop', transport: memory(), ...options } as BusOptions));

describe("a bus's options", () => {
  it('are a service and a transport; all else has its documented default', () => {
    const transport = memory();
    const { log, serializer, stores, ...settings } = busSettings({ service: 'shop', transport });
    assert.deepEqual(settings, {
      ...{
        service: 'shop',
        transport,
        handlers: [],
        middleware: [],
        retry: undefined,
        version: undefined,
        encryption: undefined,
        publishes: undefined,
        relayOutbox: undefined,
      },
      ...{ exchange: 'hopline.events', prefix: 'hopline', delayPrefix: 'hopline', topology: 'declare' },
      ...{
        failureSumsEveryMs: 10_000,
        operatorControl: true,
        concurrency: 10,
        consumerTimeout: '30m',
        consumerTimeoutMs: 1_800_000,
        maxBodyBytes: 16 * 2 ** 20,
        maxInFlight: 10_000,
        maxInFlightBytes: 64 * 2 ** 20,
      },
      ...{ timeout: '60s', timeoutMs: 60_000, timeoutGrace: '5s', timeoutGraceMs: 5_000 },
      ...{ publishDeadline: '30s', publishDeadlineMs: 30_000, startDeadline: '30s', startDeadlineMs: 30_000 },
      ...{
        stopDeadline: '30s',
        stopDeadlineMs: 30_000,
        unhandledRetryFor: '10m',
        unhandledRetryForMs: 600_000,
      },
    });
    assert.equal(serializer.contentType, 'application/json');
    assert.equal(typeof log.warn, 'function');
    assert.equal(typeof stores.rateLimits.take, 'function');
  });

  it('that are undefined count as left out', () => {
    const settings = busSettings({
      service: 'shop',
      transport: memory(),
      concurrency: undefined,
      prefix: undefined,
    } as never);
    assert.equal(settings.concurrency, 10);
    assert.equal(settings.exchange, 'hopline.events');
  });

  it('name the exchange after the prefix, unless they name it themselves', () => {
    const exchange = (given: object) =>
      busSettings({ service: 'shop', transport: memory(), ...given }).exchange;
    assert.equal(exchange({ prefix: 'acme' }), 'acme.events');
    assert.equal(exchange({ prefix: 'acme', exchange: 'orders' }), 'orders');
  });

  it('may nest handler definitions, as handlers() returns them', () => {
    const definition = { name: 'a', patterns: ['a'], queue: {}, options: {}, handle() {} };
    const { handlers } = busSettings({
      service: 'shop',
      transport: memory(),
      handlers: [definition, [definition, [definition]]],
    });
    assert.deepEqual(handlers, [definition, definition, definition]);
  });

  it('are refused with all problems at once, unknown ones with a suggestion', () => {
    const options = {
      service: 'shop.dead',
      transport: undefined,
      concurency: 5,
      concurrency: 0,
      exchange: 'a/b',
      prefix: 'a.*',
      retry: { tries: 'many', backof: '1s' },
      topology: 'check',
      startDeadline: 'soon',
      middleware: [() => {}, 1, { consum() {} }, { consume: true, handle() {} }],
      handlers: [() => {}],
      log: { warn() {} },
      failureLog: { evry: '1m', every: 'often' },
      maxBodyBytes: -1,
    };
    assert.deepEqual(
      problemsOf(() => new Bus(options as never)),
      [
        'unknown option concurency, did you mean concurrency?',
        'expected transport to be a transport: rabbitmq({ url }) or memory() (an object with open), got undefined',
        'expected handlers to be what handlers([...]) returns, got an array of 1',
        'unknown option retry.backof, did you mean backoff?',
        'expected retry.tries to be a positive integer or Infinity, got "many"',
        'expected concurrency to be a positive integer, got 0',
        'expected prefix to be a name of at most 100 bytes without wildcards or slashes, got "a.*"',
        `expected topology to be 'declare' or 'verify' or 'none', got "check"`,
        'expected middleware[1] to be a function, or an object with at least one of the functions consume, handle, publish, got 1',
        'expected middleware[2] to be a function, or an object with at least one of the functions consume, handle, publish, got an object (Object)',
        'expected middleware[3] to be a function, or an object with at least one of the functions consume, handle, publish, got an object (Object)',
        'expected maxBodyBytes to be a positive integer, got -1',
        `expected startDeadline to be a duration of at most 400 days, such as '30s', a number of milliseconds, or Infinity, got "soon"`,
        'unknown option failureLog.evry, did you mean every?',
        `expected failureLog.every to be a duration of at most 400 days, such as '30s', or a number of milliseconds, got "often"`,
        "expected log to be a logger, as pino's are, or as nestLogger() and consoleLogger() of hopline/logs make them (an object with debug, info, warn, error), got an object (Object)",
        "the service name 'shop.dead' ends in .dead, which names a queue of Hopline's own",
        "the exchange name 'a/b' holds a '/', which stands for a dot in delayed routing keys",
      ],
    );
  });

  it('say how failures are logged, or that they are not', () => {
    const every = (failureLog?: unknown) =>
      busSettings({ service: 'shop', transport: memory(), failureLog } as BusOptions).failureSumsEveryMs;
    assert.deepEqual(
      [every(), every(true), every({}), every({ every: '1m' }), every({ every: 0 }), every(false)],
      [10_000, 10_000, 10_000, 60_000, 0, undefined],
    );
    assert.deepEqual(busProblems({ failureLog: 'no' }), [
      `expected failureLog to be true, false, or an object such as { every: '1m' }, got "no"`,
    ]);
  });

  it('are named in one message, a line each', () => {
    assert.throws(() => new Bus({ service: '', transport: memory(), typo: 1 } as never), {
      name: 'OptionsError',
      code: 'HOPLINE_OPTIONS',
      message: 'Bus:\n  - unknown option typo\n  - expected service to be a non-empty string, got ""',
    });
  });

  it('must be an object', () => {
    for (const options of [undefined, null, 'amqp://host', 5, []]) {
      assert.deepEqual(
        problemsOf(() => new Bus(options as never)),
        ['expected the options to be an object'],
      );
    }
  });

  it('may wait for the broker for ever at start, and nowhere else', () => {
    const forever = Number.POSITIVE_INFINITY;
    assert.deepEqual(busProblems({ startDeadline: forever }), []);
    for (const option of [
      'stopDeadline',
      'publishDeadline',
      'timeout',
      'timeoutGrace',
      'unhandledRetryFor',
    ]) {
      assert.equal(busProblems({ [option]: forever }).length, 1, option);
    }
  });

  it('refuse a timeout of nothing, which would time everything out at once', () => {
    for (const timeout of [0, '0s'])
      assert.deepEqual(busProblems({ timeout }), [
        `expected timeout to be a duration of 1 ms to 400 days, such as '30s', or a number of milliseconds, got ${JSON.stringify(timeout)}`,
      ]);
    assert.deepEqual(busProblems({ timeout: 1, timeoutGrace: 0 }), []);
  });

  it('never show a URL that was put in a wrong place', () => {
    const url = `amqp://user:${CANARY}@host`;
    for (const option of ['transport', 'handlers', 'retry', 'log', 'concurrency', 'topology', 'prefix']) {
      const problems = busProblems({ [option]: url });
      assert.ok(problems.length > 0, option);
      assert.doesNotMatch(problems.join('\n'), new RegExp(CANARY), option);
    }
  });
});

describe('the life of a bus', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  it('without handlers is that of a publisher; zero takers are fine for publish', async () => {
    const bus = await bench.started();
    await bus.publish('order.placed', {});
  });

  it('has a typed error for each call out of turn', async () => {
    const bus = bench.bus();
    await assert.rejects(bus.publish('a', {}), NotStartedError);
    await bus.start();
    assert.throws(() => bus.handle('a', () => {}), { name: 'AlreadyStartedError' });
    await bus.stop();
    await assert.rejects(bus.send('a', {}), StoppedError);
    await assert.rejects(bus.start(), StoppedError);
    await bus.stop();
  });

  it('knows no event by a wrong name, and says which was meant', () => {
    const bus = new Bus({ service: 'shop', transport: memory() });
    const cases = [
      [
        'message.deadlettered',
        "there is no event 'message.deadlettered', did you mean message.deadLettered?",
      ],
      ['toString', "there is no event 'toString'"],
      [undefined, 'expected the name of an event, got undefined'],
    ] as const;
    for (const [name, problem] of cases)
      assert.throws(
        () => bus.on(name as never, () => {}),
        (error) => error instanceof OptionsError && error.message === `bus.on: ${problem}`,
      );
    bus.on('message.deadLettered', () => {})();
  });

  it('reports wrong handlers at start, all at once, and touches no broker', async () => {
    const bus = bench.bus();
    bus.handle('a*', () => {}, { queue: { name: 'q', concurrency: 0 } });
    bus.handle('b', undefined as never, { name: 'codeless', queue: 5 as never });
    await assert.rejects(bus.start(), (error) => {
      assert.ok(error instanceof OptionsError);
      assert.deepEqual(error.problems, [
        'a*: expected queue.concurrency to be a positive integer, got 0',
        "a*: the pattern 'a*' holds 'a*': * and # are wildcards only as whole words between dots",
        'codeless: expected queue to be a name or an object, got 5',
        'codeless: expected its code to be a function, got undefined',
      ]);
      return true;
    });
    await assert.rejects(bench.taken('q'), /no queue 'q'/);
  });

  it('names a handler after its function, else after its first pattern; code that is missing waits for start()', async () => {
    const bus = bench.bus();
    assert.doesNotThrow(() => bus.handle('order.placed', undefined as never));
    await assert.rejects(bus.start(), /order\.placed: expected its code to be a function, got undefined/);
  });
});
