import assert from 'node:assert/strict';
import type { HandlerDefinition, QueueOptions } from '../../../src/consume/handlers/definition.js';
import { planSubscriptions, queueNeeds } from '../../../src/consume/handlers/subscription.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { RETRY_DEFAULTS } from '../../../src/retry/policy.js';
import type { Duration } from '../../../src/util/duration.js';
import { problemsOf } from '../option-problems.js';
import { defaults } from './fixtures.js';

interface Given {
  readonly patterns?: HandlerDefinition['patterns'];
  readonly queue?: HandlerDefinition['queue'];
  readonly options?: HandlerDefinition['options'];
}

function define(
  name: string,
  { patterns = [`${name}.key`], queue = {}, options = {} }: Given = {},
): HandlerDefinition {
  return { name, patterns, queue, options, handle: () => {} };
}

const plan = (...definitions: HandlerDefinition[]) => planSubscriptions(definitions, defaults);

const problems = (...definitions: HandlerDefinition[]) => problemsOf(() => plan(...definitions));

describe('subscriptions', () => {
  it('name their queues after the service, the class, or as they are told', () => {
    const queues = plan(
      define('plain'),
      define('Billing', { queue: { ownName: 'Billing' } }),
      define('Ledger', { queue: { ownName: 'Ledger', name: 'ledger' } }),
    ).map(({ queue }) => queue);
    assert.deepEqual(queues, ['shop', 'shop.Billing', 'ledger']);
  });

  it('have slots for the largest call of their handlers, unless they are told how many', () => {
    const slotsOf = (...definitions: HandlerDefinition[]) =>
      plan(...definitions).map(({ concurrency, prefetch, handlers }) => [
        concurrency,
        prefetch,
        ...handlers.map((each) => each.concurrency),
      ]);
    const bulk = define('many', { options: { bulk: { max: 50 } } });
    assert.deepEqual(slotsOf(define('one'), bulk), [
      [50, 50, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ]);
    assert.deepEqual(slotsOf(define('many', { options: { bulk: { max: 4 } } })), [
      [10, 10, Number.POSITIVE_INFINITY],
    ]);
    const told = { queue: { concurrency: 200 }, options: { bulk: {} } };
    assert.deepEqual(slotsOf(define('many', told)), [[200, 200, Number.POSITIVE_INFINITY]]);
    assert.deepEqual(problems(define('many', { options: { bulk: {}, concurrency: 20 } })), [
      'many: expected bulk.max to be at most the concurrency, 20, since each message takes a slot; got 100',
    ]);
  });

  it('group handlers that name the same queue, in their order', () => {
    const planned = plan(
      define('a', { queue: { name: 'q' } }),
      define('b', { queue: { name: 'other' } }),
      define('c', { queue: { name: 'q' } }),
    );
    assert.deepEqual(
      planned.map(({ queue, handlers }) => [queue, handlers.map(({ name }) => name)]),
      [
        ['q', ['a', 'c']],
        ['other', ['b']],
      ],
    );
  });

  it('have the documented defaults', () => {
    const definition = define('plain');
    assert.deepEqual(plan(definition), [
      {
        queue: 'shop',
        singleActive: false,
        kind: 'work',
        namedAfter: undefined,
        lanes: [{ name: 'default', queue: 'shop', weight: undefined }],
        type: 'quorum',
        concurrency: 10,
        prefetch: 10,
        deliveryLimit: 200,
        maxPriority: undefined,
        declare: true,
        arguments: undefined,
        handlers: [
          {
            name: 'plain',
            queue: 'shop',
            routes: [{ pattern: 'plain.key', exchange: defaults.exchange, definition: undefined }],
            retry: RETRY_DEFAULTS,
            timeoutMs: 60_000,
            concurrency: Number.POSITIVE_INFINITY,
            answers: undefined,
            each: undefined,
            handle: definition.handle,
            failed: undefined,
            permits: undefined,
            publishes: undefined,
            bulk: undefined,
            rateLimit: undefined,
            resumable: undefined,
            circuitBreaker: undefined,
            middleware: undefined,
            idempotent: undefined,
            inbox: undefined,
            long: undefined,
            unique: undefined,
            encrypted: undefined,
            body: undefined,
          },
        ],
      },
    ]);
  });

  it("let a handler have a concurrency of its own, beside which the queue's limits them all", () => {
    const [subscription] = plan(
      define('low', { queue: { concurrency: 4 }, options: { concurrency: 2 } }),
      define('high', { options: { concurrency: 50 } }),
      define('silent'),
    );
    assert.equal(subscription?.concurrency, 4);
    assert.deepEqual(
      subscription?.handlers.map(({ concurrency }) => concurrency),
      [2, 50, Number.POSITIVE_INFINITY],
    );
  });

  it('prefetch at least as much as they handle at once, and never more than the protocol can say', () => {
    const prefetch = (queue: QueueOptions) => plan(define('a', { queue }))[0]?.prefetch;
    assert.equal(prefetch({ concurrency: 4, prefetch: 16 }), 16);
    assert.equal(prefetch({ concurrency: 4, prefetch: 2 }), 4);
    assert.equal(prefetch({ concurrency: 4 }), 4);
    assert.equal(prefetch({ concurrency: 70_000 }), 65_535);
  });

  it("bind to the handler's exchange, else the queue's, else the bus's", () => {
    const routes = (given: Given) => plan(define('a', given))[0]?.handlers[0]?.routes[0]?.exchange;
    const foreign = { name: 'legacy', declare: false } as const;
    assert.deepEqual(routes({}), defaults.exchange);
    assert.deepEqual(routes({ queue: { exchange: 'shop.events' } }), { name: 'shop.events', declare: true });
    assert.deepEqual(routes({ queue: { exchange: 'shop.events' }, options: { exchange: foreign } }), foreign);
  });

  it('take retry and timeout from the handler, else from the bus, option by option', () => {
    const given = { options: { retry: { tries: 2 }, timeout: '5s' } } as const;
    const bus = { ...defaults, retry: { tries: 9, backoff: '7s' as const }, timeoutMs: 1_000 };
    const [subscription] = planSubscriptions([define('own', given), define('silent')], bus);
    const [own, silent] = subscription?.handlers ?? [];
    assert.deepEqual(own?.retry, { ...RETRY_DEFAULTS, tries: 2, backoff: '7s' });
    assert.equal(own?.timeoutMs, 5_000);
    assert.deepEqual(silent?.retry, { ...RETRY_DEFAULTS, tries: 9, backoff: '7s' });
    assert.equal(silent?.timeoutMs, 1_000);
  });

  it("keep a definition beside its pattern, and tell the topology's planner queue and bindings", () => {
    const placed = defineMessage('order.placed');
    const [subscription] = plan(
      define('a', { patterns: [placed, 'order.*'], queue: { name: 'q', type: 'classic' } }),
    );
    assert.ok(subscription);
    assert.deepEqual(
      subscription.handlers[0]?.routes.map(({ pattern, definition }) => [pattern, definition]),
      [
        ['order.placed', placed],
        ['order.*', undefined],
      ],
    );
    const { bindings, ...queue } = queueNeeds(subscription);
    assert.deepEqual(queue, {
      name: 'q',
      kind: 'work',
      lanes: ['default'],
      type: 'classic',
      deliveryLimit: 200,
      maxPriority: undefined,
    });
    assert.deepEqual(
      bindings.map(({ exchange, pattern }) => `${exchange.name} ${pattern}`),
      ['hopline.events order.placed', 'hopline.events order.*'],
    );
  });
});

describe('handlers that share a queue', () => {
  const q = (options: QueueOptions = {}) => ({ queue: { name: 'q', ...options } });

  it('may each say a part of its options, and say the same twice', () => {
    const [subscription] = plan(
      define('A', q({ concurrency: 5 })),
      define('B', q({ type: 'classic', concurrency: 5 })),
      define('C', q()),
    );
    assert.equal(subscription?.concurrency, 5);
    assert.equal(subscription?.type, 'classic');
  });

  it('and give it different options are an error that names both, for each option', () => {
    const own = () => ({ deserialize: (body: Buffer) => body });
    const pairs: [keyof QueueOptions, QueueOptions, QueueOptions, string, string][] = [
      ['concurrency', { concurrency: 5 }, { concurrency: 6 }, '5', '6'],
      ['prefetch', { prefetch: 50 }, { prefetch: 60 }, '50', '60'],
      ['type', { type: 'quorum' }, { type: 'classic' }, '"quorum"', '"classic"'],
      ['deliveryLimit', { deliveryLimit: 3 }, { deliveryLimit: 20 }, '3', '20'],
      ['exchange', { exchange: 'a' }, { exchange: 'b' }, '"a"', '"b"'],
      ['body', { body: 'text' }, { body: 'bytes' }, '"text"', '"bytes"'],
      ['body', { body: own() }, { body: own() }, 'a deserializer of its own', 'a deserializer of its own'],
      [
        'exchange',
        { exchange: 'a' },
        { exchange: { name: 'a', declare: false } },
        '"a"',
        '"a" (declare: false)',
      ],
    ];
    for (const [option, left, right, shownLeft, shownRight] of pairs) {
      assert.deepEqual(
        problems(define('Orders', q(left)), define('Silent', q()), define('Refunds', q(right))),
        [
          `queue 'q' has ${option} ${shownLeft} in Orders and ${shownRight} in Refunds: say it once, or alike`,
        ],
      );
    }
  });

  it('and name one foreign exchange agree, however they write it', () => {
    const left = q({ exchange: { name: 'legacy', declare: false } });
    const right = q({ exchange: { declare: false, name: 'legacy' } });
    assert.deepEqual(problems(define('A', left), define('B', right)), []);
  });

  it('must not both handle one pattern; a definition stands for its key', () => {
    const placed = defineMessage('order.placed');
    const owners = [
      define('Orders', { ...q(), patterns: ['order.placed'] }),
      define('Audit', { ...q(), patterns: ['order.#', placed] }),
    ];
    assert.deepEqual(problems(...owners), [
      "queue 'q': both Orders and Audit handle 'order.placed' of exchange 'hopline.events'; give one of them a queue of its own, or another pattern",
    ]);
    assert.deepEqual(
      problems(define('A', { patterns: ['x'] }), define('B', { ...q(), patterns: ['x'] })),
      [],
    );
  });

  it('may both handle one pattern of two exchanges, however these are named', () => {
    const on = (exchange?: NonNullable<HandlerDefinition['options']['exchange']>) => ({
      patterns: ['x'],
      options: exchange === undefined ? {} : { exchange },
    });
    const foreign = { name: 'shop.events', declare: false } as const;
    assert.deepEqual(problems(define('A', { ...q(), ...on() }), define('B', { ...q(), ...on(foreign) })), []);
    const ofQueue = q({ exchange: 'shop.events' });
    assert.deepEqual(
      problems(define('A', { ...q(), ...on('hopline.events') }), define('B', { ...ofQueue, ...on() })),
      [],
    );
    assert.deepEqual(
      problems(define('A', { ...q(), ...on() }), define('B', { ...ofQueue, ...on(foreign) })),
      [
        "queue 'q': both A and B handle 'x' of exchange 'shop.events'; give one of them a queue of its own, or another pattern",
      ],
    );
  });
});

describe('wrong handlers', () => {
  it('are all reported at once, each with its name', () => {
    const found = problems(
      define('Orders', { patterns: ['order.pla*', ''], queue: { name: 'a', concurrency: 0 } }),
      define('Refunds', {
        patterns: [],
        queue: { name: 'b', typo: 1 } as QueueOptions,
        options: { timeout: 'soon' as never },
      }),
      define('Audit', {
        queue: { name: 'c.dead' },
        options: { retry: { tries: 0 }, concurency: 3 } as HandlerDefinition['options'],
      }),
      define('Ledger', { queue: { name: 'd', exchange: 'a/b' }, options: { exchange: '' } }),
    );
    assert.deepEqual(found, [
      'Orders: expected queue.concurrency to be a positive integer, got 0',
      "Orders: the pattern 'order.pla*' holds 'pla*': * and # are wildcards only as whole words between dots",
      'Orders: the pattern is empty',
      'Refunds: unknown option queue.typo, did you mean type?',
      `Refunds: expected timeout to be a duration of 1 ms to 400 days, such as '30s', or a number of milliseconds, got "soon"`,
      'Refunds: it handles no pattern',
      'Audit: unknown option concurency, did you mean concurrency?',
      'Audit: expected retry.tries to be a positive integer or Infinity, got 0',
      "Ledger: the exchange name 'a/b' holds a '/', which stands for a dot in delayed routing keys",
      'Ledger: the default exchange has no bindings: name another, or send to a queue with sendToQueue()',
      "Audit: the queue name 'c.dead' ends in .dead, which names a queue of Hopline's own",
    ]);
  });

  it('that gather for as long as they may run, or longer, are refused with both times', () => {
    const gathering = (name: string, within: Duration, timeout?: Duration) =>
      define(name, {
        queue: { name },
        options: { bulk: { within }, ...(timeout === undefined ? {} : { timeout }) },
      });
    const rule = (timeout: string) =>
      `shorter than the handler's timeout, ${timeout}, since the time that a message waits for others counts; got`;
    assert.deepEqual(
      problems(
        gathering('Longer', '30s', '5s'),
        gathering('Equal', '20s', 20_000),
        gathering('Default', '1m'),
        gathering('Shorter', '10s', '11s'),
        define('Hasty', { queue: { name: 'Hasty' }, options: { bulk: {}, timeout: 40 } }),
      ),
      [
        `Longer: expected bulk.within to be ${rule('5s')} 30s`,
        `Equal: expected bulk.within to be ${rule('20s')} 20s`,
        `Default: expected bulk.within to be ${rule('1m')} 1m`,
        `Hasty: expected bulk.within to be ${rule('40ms')} 50ms`,
      ],
    );
  });

  it('without code, or with a queue that is neither name nor options, are refused', () => {
    const noCode = { ...define('NoCode'), handle: undefined as never };
    const noQueue = { ...define('NoQueue'), queue: 5 as never };
    assert.deepEqual(problems(noCode, noQueue), [
      'NoCode: expected its code to be a function, got undefined',
      'NoQueue: expected queue to be a name or an object, got 5',
    ]);
  });

  it('get a prefetch that the protocol can say, or an error', () => {
    assert.deepEqual(problems(define('A', { queue: { prefetch: 65_536 } })), [
      'A: expected queue.prefetch to be an integer from 1 to 65535, got 65536',
    ]);
  });

  it('take no two handlers of one name that would know what the other has handled by a key of its own', () => {
    const by = ({ order }: { order: string }) => order;
    const two = (first: Given['options'], second: Given['options'], queue = 'q') =>
      problems(
        define('Work', { patterns: ['placed'], queue: { name: 'q' }, options: first ?? {} }),
        define('Work', { patterns: ['paid'], queue: { name: queue }, options: second ?? {} }),
      );
    const problem =
      "queue 'q': the handlers of 'placed' and 'paid' are both called Work, and with a `by` of their own what one has handled the other would skip: give each a name, or one the two patterns";
    assert.deepEqual(two({ idempotent: { by } }, { idempotent: { by } }), [problem]);
    assert.deepEqual(two({ idempotent: {} }, { idempotent: { by } }), [problem]);
    // A message's id is one handler's alone.
    assert.deepEqual(two({ idempotent: {} }, { idempotent: {} }), []);
    assert.deepEqual(two({ idempotent: { by } }, {}), []);
    assert.deepEqual(two({ idempotent: { by } }, { idempotent: { by } }, 'another'), []);
  });
});

describe('handlers with a copy for each process', () => {
  const each = { options: { each: 'process' } } as const;

  it('have a queue that is called after them, and of the options of their class those that are not of a kept queue', () => {
    const billing = { ownName: 'Billing', name: 'billing', lanes: ['high', 'default'], concurrency: 3 };
    const [work, copies] = plan(
      define('Billing.charge', { queue: billing }),
      define('Billing.reload', { queue: billing, ...each }),
    );
    assert.deepEqual([work?.queue, work?.kind, work?.lanes.length], ['billing', 'work', 2]);
    assert.deepEqual(
      copies && [copies.queue, copies.kind, copies.type, copies.lanes.length, copies.concurrency],
      ['shop.Billing.reload', 'process', 'classic', 1, 3],
    );
  });

  it('are refused what means a queue that is kept, or one handling for all processes', () => {
    const kept = { name: 'q', type: 'quorum', deliveryLimit: 5, maxPriority: 3 } as const;
    assert.deepEqual(
      problems(define('Reload', { queue: kept, ...each })).map((problem) => problem.split(',')[0]),
      ['name', 'type', 'deliveryLimit', 'maxPriority'].map(
        (option) => `Reload: queue.${option} has no place beside each: 'process'`,
      ),
    );
    const once = { options: { each: 'process', idempotent: {}, unique: {} } } as const;
    assert.deepEqual(
      problems(define('Reload', once)).map((problem) => problem.split(':').slice(0, 2).join(':')),
      ['Reload: idempotent has no place beside each', 'Reload: unique has no place beside each'],
    );
  });

  it('are refused a name that can be no part of a queue, and one that is too long for the word of the process', () => {
    assert.match(problems(define('order.*', each)).join('\n'), /a pattern is no name/);
    assert.match(problems(define('x'.repeat(220), each)).join('\n'), /225 bytes long, 218 are left/);
  });

  it('are refused a queue that others of the bus work on', () => {
    assert.deepEqual(
      problems(define('Clash', each), define('Clash.other', { queue: { ownName: 'Clash' } })),
      [
        "queue 'shop.Clash' would be that of Clash, for each process, and that of Clash.other, for all of them: give Clash another name or a class of its own, or the other one's queue a name",
      ],
    );
  });
});
