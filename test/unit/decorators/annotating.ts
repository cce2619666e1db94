import assert from 'node:assert/strict';
import {
  Encrypted,
  Handles,
  handlerClassesOf,
  handlers,
  Idempotent,
  Inbox,
  isHandlerClass,
  Queue,
  RateLimit,
  Replies,
  Retry,
  Timeout,
  Unique,
} from '../../../decorators/index.js';
import type { Class } from '../../../decorators/metadata.js';
import type { HandlerDefinition } from '../../../src/consume/handlers/definition.js';
import { OptionsError } from '../../../src/errors.js';
import type { MessageContext } from '../../../src/message/context.js';
import { defineMessage } from '../../../src/message/define-message.js';
import { defineRequest } from '../../../src/message/requests/define-request.js';

/** What decorators have said, without what `handlers()` adds as code. */
function said(...classes: Class[]) {
  return handlers(classes).map(({ name, patterns, queue, options }) => ({ name, patterns, queue, options }));
}

function problems(...classes: unknown[]): readonly string[] {
  try {
    handlers(classes as Class[]);
  } catch (error) {
    assert.ok(error instanceof OptionsError, String(error));
    return error.problems;
  }
  return [];
}

// biome-ignore lint/suspicious/noExplicitAny: decorators where types forbid them
const untyped = (decorator: unknown) => decorator as any;

const named = (definitions: readonly HandlerDefinition[]) => definitions.map(({ name }) => name);

/**
 * What decorators record, in whichever way they are compiled: this file is compiled in each.
 *
 * @param standard whether the compiler has called them as standard decorators
 */
export function annotating(standard: boolean): void {
  describe('decorators', () => {
    it('on a class make its handle() a handler with a queue of the class', () => {
      @Handles('email.welcome')
      @Retry({ tries: 5, backoff: ['30s', '1m'] })
      @Timeout('30s')
      class SendWelcomeEmail {
        handle() {}
      }
      assert.deepEqual(said(SendWelcomeEmail), [
        {
          name: 'SendWelcomeEmail',
          patterns: ['email.welcome'],
          queue: { ownName: 'SendWelcomeEmail' },
          options: { retry: { tries: 5, backoff: ['30s', '1m'] }, timeout: '30s' },
        },
      ]);
    });

    it('give a rate limit to a handler, or to each of the methods', () => {
      @RateLimit({ allow: 5, every: '1s' })
      class Calls {
        @Handles('a')
        onA() {}

        @Handles('b')
        @RateLimit({ allow: 1, every: '60s' })
        onB() {}
      }
      assert.deepEqual(
        said(Calls).map(({ options }) => options.rateLimit),
        [
          { allow: 5, every: '1s' },
          { allow: 1, every: '60s' },
        ],
      );
    });

    it('record an option that lacks what it requires, which the start refuses: none is dropped in silence', () => {
      const Limited = untyped(RateLimit);
      @Handles('a')
      @Limited()
      class Calls {
        handle() {}
      }
      assert.deepEqual(said(Calls)[0]?.options, { rateLimit: {}, retry: {} });
    });

    it('make a handler idempotent, or each of the methods', () => {
      @Idempotent({ keep: '1d' })
      class Charges {
        @Handles('a')
        onA() {}

        @Handles('b')
        @Idempotent()
        onB() {}
      }
      assert.deepEqual(
        said(Charges).map(({ options }) => options.idempotent),
        [{ keep: '1d' }, {}],
      );
    });

    it('give a handler an inbox, or each of the methods', () => {
      @Inbox({ keep: '1d' })
      class Transfers {
        @Handles('a')
        onA() {}

        @Handles('b')
        @Inbox()
        onB() {}
      }
      assert.deepEqual(
        said(Transfers).map(({ options }) => options.inbox),
        [{ keep: '1d' }, {}],
      );
    });

    it('make what is sent to a handler unique, or to each of the methods', () => {
      const by = ({ id }: { id: number }) => String(id);
      @Unique({ by, for: '10m' })
      class Reports {
        @Handles('a')
        onA() {}

        @Handles('b')
        @Unique({ keep: 'last' })
        onB() {}
      }
      assert.deepEqual(
        said(Reports).map(({ options }) => options.unique),
        [{ by, for: '10m' }, { keep: 'last' }],
      );
    });

    it('say with a definition, in its types, what goes before decorators of the method and of the class', () => {
      const placed = defineMessage<{ id: number }>('order.placed');
      const limit = { allow: 1, every: '1s' } as const;
      @Handles(placed, { rateLimit: { ...limit, by: ({ id }) => id }, retry: { tries: 2 } })
      @RateLimit({ allow: 9, every: '9s' })
      @Idempotent({ keep: '9d' })
      @Retry({ tries: 9, backoff: '9s' })
      class Orders {
        handle() {}

        @Handles(placed, { idempotent: { by: ({ id }) => id }, unique: {} })
        @Idempotent({ keep: '1d' })
        @Retry({ tries: 1 })
        onPlaced() {}
      }
      const [whole, method] = said(Orders).map(({ options }) => options);
      const message = {} as MessageContext;
      assert.equal(whole?.rateLimit?.by?.({ id: 7 }, message), 7);
      assert.deepEqual([whole?.idempotent, whole?.retry], [{ keep: '9d' }, { tries: 2, backoff: '9s' }]);
      assert.equal(method?.rateLimit?.allow, 9);
      assert.equal(method?.idempotent?.by?.({ id: 8 }, message), 8);
      assert.deepEqual([method?.idempotent?.keep, method?.unique], [undefined, {}]);
      assert.deepEqual(method?.retry, { tries: 1, backoff: '9s' });
    });

    it('have a handler take encrypted messages only, or all of a class', () => {
      @Encrypted()
      class Patients {
        @Handles('a')
        onA() {}
      }
      class Visitors {
        @Handles('b')
        @Encrypted()
        onB() {}

        @Handles('c')
        onC() {}
      }
      assert.deepEqual(
        [...said(Patients), ...said(Visitors)].map(({ options }) => options.encrypted),
        [true, true, undefined],
      );
    });

    it('on methods make each a handler, all on one queue', () => {
      @Queue({ name: 'billing', concurrency: 20 })
      class Billing {
        @Handles('order.placed', { concurrency: 2 })
        onPlaced() {}

        @Handles(['order.*.refunded', 'order.refunded'])
        onRefund() {}

        untouched() {}
      }
      const queue = { name: 'billing', concurrency: 20, ownName: 'Billing' };
      assert.deepEqual(said(Billing), [
        {
          name: 'Billing.onPlaced',
          patterns: ['order.placed'],
          queue,
          options: { concurrency: 2, retry: {} },
        },
        {
          name: 'Billing.onRefund',
          patterns: ['order.*.refunded', 'order.refunded'],
          queue,
          options: { retry: {} },
        },
      ]);
    });

    it('take definitions and patterns, one or several, and may stand on a class and its methods at once', () => {
      const placed = defineMessage<{ id: number }>('order.placed');
      @Handles('a')
      @Handles(['b', placed])
      class Both {
        handle(_payload: unknown) {}

        @Handles(placed)
        onPlaced() {}
      }
      const patterns = said(Both).map((each) => [each.name, ...each.patterns]);
      assert.deepEqual(patterns, [
        ['Both', 'b', placed],
        ['Both', 'a'],
        ['Both.onPlaced', placed],
      ]);
    });

    it('of a class are the defaults of its methods, option by option', () => {
      @Retry({ tries: 3, backoff: '1m' })
      @Timeout('5s')
      class Billing {
        @Handles('a')
        plain() {}

        @Handles('b')
        @Retry({ tries: 9 })
        @Timeout('1s')
        own() {}
      }
      assert.deepEqual(
        said(Billing).map(({ options }) => options),
        [
          { retry: { tries: 3, backoff: '1m' }, timeout: '5s' },
          { retry: { tries: 9, backoff: '1m' }, timeout: '1s' },
        ],
      );
    });

    it('may say one thing in several parts, and their order on a method does not matter', () => {
      class Parts {
        @Retry({ tries: 2 })
        @Handles('a')
        @Retry({ backoff: '1s' })
        onA() {}
      }
      Queue({ name: 'parts' })(Parts);
      Queue({ concurrency: 3 })(Parts);
      const [definition] = said(Parts);
      assert.deepEqual(definition?.options.retry, { tries: 2, backoff: '1s' });
      assert.deepEqual(definition?.queue, { name: 'parts', concurrency: 3, ownName: 'Parts' });
    });

    it('may name a method by a symbol', () => {
      const method = Symbol('onA');
      class Symbolic {
        @Handles('a')
        [method]() {}
      }
      assert.deepEqual(named(handlers([Symbolic])), ['Symbolic.Symbol(onA)']);
    });

    it('are found by the name of their method, whatever another decorator puts in its place', () => {
      // biome-ignore lint/suspicious/noExplicitAny: called in the one way or the other
      const Logged = (target: any, _context: unknown, descriptor?: any): any => {
        const wrapped = function (this: unknown, ...given: unknown[]) {
          return (descriptor?.value ?? target).apply(this, given);
        };
        return descriptor ? { ...descriptor, value: wrapped } : wrapped;
      };
      class Wrapped {
        @Timeout('1s')
        @Logged
        @Handles('a')
        @Logged
        @Retry({ tries: 2 })
        onA() {}
      }
      assert.deepEqual(said(Wrapped), [
        {
          name: 'Wrapped.onA',
          patterns: ['a'],
          queue: { ownName: 'Wrapped' },
          options: { retry: { tries: 2 }, timeout: '1s' },
        },
      ]);
    });

    it('are found on a class that another decorator has extended', () => {
      // biome-ignore lint/suspicious/noExplicitAny: called in the one way or the other
      const Extended = (target: any): any => class Extension extends target {};
      @Extended
      @Queue({ name: 'inner' })
      @Retry({ tries: 2 })
      class Inner {
        @Handles('a')
        onA() {}
      }
      const [definition] = said(Inner);
      assert.equal(definition?.queue.name, 'inner');
      assert.deepEqual([definition?.patterns, definition?.options.retry], [['a'], { tries: 2 }]);
    });

    it('may be called as functions on a class that others stand on', () => {
      class Called {
        @Handles('a')
        onA() {}

        onB() {}
      }
      const onB = Object.getOwnPropertyDescriptor(Called.prototype, 'onB') as PropertyDescriptor;
      Handles('b')(Called.prototype, 'onB', onB);
      Retry({ tries: 4 })(Called);
      Handles('c')(Called as never);
      assert.deepEqual(problems(Called), [
        'class Called is annotated with @Handles or @Replies but has no handle() method',
      ]);
      Object.assign(Called.prototype, { handle() {} });
      assert.deepEqual(
        said(Called).map(({ name, options }) => [name, options.retry?.tries]),
        [
          ['Called', 4],
          ['Called.onA', 4],
          ['Called.onB', 4],
        ],
      );
    });

    it('only record: nothing is made and nothing is called until a bus starts', () => {
      let made = 0;
      @Handles('a')
      class Counted {
        constructor() {
          made += 1;
        }

        handle() {}
      }
      handlers([Counted]);
      assert.equal(made, 0);
    });
  });

  describe('decorators and inheritance', () => {
    @Queue({ name: 'base' })
    @Retry({ tries: 2 })
    class Base {
      @Handles('a')
      onA() {}

      @Handles('b')
      @Timeout('1s')
      onB() {}
    }

    it('hand on what the base says', () => {
      class Derived extends Base {}
      const patterns = said(Derived).map(({ name, patterns }) => `${name} ${patterns}`);
      assert.deepEqual(patterns, ['Derived.onA a', 'Derived.onB b']);
      assert.deepEqual(said(Derived)[0]?.queue, { name: 'base', ownName: 'Derived' });
      assert.deepEqual(said(Derived)[0]?.options.retry, { tries: 2 });
    });

    it('let the nearest word count, without changing the base', () => {
      @Queue({ name: 'derived' })
      @Retry({ tries: 7 })
      class Derived extends Base {
        @Handles('c')
        override onA() {}

        @Handles('d')
        onD() {}
      }
      const before = said(Base);
      assert.deepEqual(
        said(Derived).map(({ name, patterns, queue, options }) => [
          name,
          ...patterns,
          queue.name,
          options.retry?.tries,
        ]),
        [
          ['Derived.onA', 'c', 'derived', 7],
          ['Derived.onB', 'b', 'derived', 7],
          ['Derived.onD', 'd', 'derived', 7],
        ],
      );
      assert.deepEqual(said(Base), before);
      assert.deepEqual(named(handlers([Base])), ['Base.onA', 'Base.onB']);
    });

    it('let a derived class change the policy of an inherited method without repeating its pattern', () => {
      class Derived extends Base {
        @Retry({ tries: 1 })
        override onB() {}
      }
      const [, onB] = said(Derived);
      assert.deepEqual(onB?.patterns, ['b']);
      assert.deepEqual(onB?.options, { retry: { tries: 1 }, timeout: '1s' });
    });

    it('let a class that says itself what it handles replace what its base handles', () => {
      @Handles('base.key')
      class One {
        handle(_payload: unknown) {}
      }
      @Handles('derived.key')
      class Two extends One {}
      class Three extends One {}
      assert.deepEqual(
        [Two, Three].map((each) => said(each).map(({ patterns }) => patterns)),
        [[['derived.key']], [['base.key']]],
      );
    });
  });

  describe('@Timeout', () => {
    it('says whether a timeout is the end, on a class as the default of its methods', () => {
      @Timeout('30s', { failOnTimeout: true })
      class Slow {
        @Handles('a')
        onA() {}

        @Timeout('1s', { failOnTimeout: false })
        @Handles('b')
        onB() {}

        @Timeout('2s')
        @Handles('c')
        onC() {}
      }
      assert.deepEqual(
        handlers([Slow]).map(({ options: { timeout, failOnTimeout } }) => [timeout, failOnTimeout]),
        [
          ['30s', true],
          ['1s', false],
          ['2s', true],
        ],
      );
    });
  });

  describe('@Replies', () => {
    const GetPrice = defineRequest<string, number>('price.get');

    it('makes a class, or a method, the responder of a request', () => {
      @Replies(GetPrice, { repeatable: true, concurrency: 2 })
      class Prices {
        handle() {
          return 1;
        }
      }
      class Shop {
        @Replies(GetPrice)
        price(_product: string) {
          return 2;
        }
      }
      const [prices, price] = handlers([Prices, Shop]);
      assert.deepEqual(prices?.answers, { request: GetPrice, repeatable: true });
      assert.deepEqual(prices?.options, { concurrency: 2, retry: {} });
      assert.deepEqual([prices?.name, prices?.patterns], ['Prices', [GetPrice]]);
      assert.deepEqual([price?.name, price?.answers], ['Shop.price', { request: GetPrice }]);
    });

    it('leaves what a class says for its messages to its handlers, and takes what is for all', () => {
      @Retry({ tries: 7 })
      @Idempotent()
      @Timeout('3s')
      class Shop {
        @Handles('order.placed')
        onPlaced() {}

        @Replies(GetPrice)
        price(_product: string) {
          return 2;
        }

        failed() {}
      }
      const [onPlaced, price] = handlers([Shop]);
      assert.deepEqual(onPlaced?.options, { retry: { tries: 7 }, idempotent: {}, timeout: '3s' });
      assert.ok(onPlaced?.failed);
      assert.deepEqual(price?.options, { retry: {}, timeout: '3s' });
      assert.equal(price?.failed, undefined);
    });

    it('keeps what a responder can not have where it alone can be meant, so that its bus refuses it', () => {
      class Shop {
        @Replies(GetPrice)
        @Retry({ tries: 3 })
        price(_product: string) {
          return 2;
        }

        failed() {}
      }
      const [price] = handlers([Shop]);
      assert.deepEqual(price?.options.retry, { tries: 3 });
      assert.ok(price?.failed);
    });
  });

  describe('handlers()', () => {
    it('reports all problems of all classes at once', () => {
      class Silent {}
      class Forgotten {
        @RateLimit({ allow: 1, every: '1s' })
        @Retry({ tries: 2 })
        onA() {}

        @Handles('b')
        onB() {}
      }
      @Timeout('1s')
      class OnlyDefaults {
        onA() {}
      }
      const Handleless = class Handleless {};
      (Handles('a') as unknown as (target: Class) => void)(Handleless);
      assert.deepEqual(problems(Silent, undefined, Forgotten, OnlyDefaults, Handleless, { handle() {} }), [
        'class Silent handles nothing: annotate it, or a method of it, with @Handles(pattern) or @Replies(request)',
        'expected a class, got undefined',
        'Forgotten.onA has @Retry and @RateLimit but no @Handles or @Replies',
        'class OnlyDefaults handles nothing: annotate it, or a method of it, with @Handles(pattern) or @Replies(request)',
        'class Handleless is annotated with @Handles or @Replies but has no handle() method',
        'expected a class, got an object (Object)',
      ]);
    });

    it('names a scope that there is not', () => {
      @Handles('a', { scope: 'request' as 'message' })
      class Scoped {
        handle() {}
      }
      assert.deepEqual(problems(Scoped), [
        `expected the scope of Scoped to be 'singleton' or 'message', got "request"`,
      ]);
    });

    it('of an empty list is an empty list', () => {
      assert.deepEqual(handlers([]), []);
    });

    it('never sees a static method as a handler: decorating one is an error at once', () => {
      assert.throws(
        () => {
          class Static {
            @untyped(Handles('a'))
            static onA() {}

            onB() {}
          }
          return Static;
        },
        (error) =>
          error instanceof OptionsError &&
          error.message ===
            `decorators: @Handles on static ${standard ? 'method onA' : 'Static.onA'}: a handler is a method of an instance`,
      );
    });

    it('has no decorator on what is no method: a field, an accessor, a private method', () => {
      const on = untyped(Retry({ tries: 2 }));
      const cases: [make: () => unknown, where: string][] = [
        [
          () => {
            class Fields {
              @on
              onA = () => {};
            }
            return Fields;
          },
          standard ? 'field onA' : 'Fields.onA, which is no method',
        ],
        [
          () => {
            class Accessors {
              @on
              get onA() {
                return 1;
              }
            }
            return Accessors;
          },
          standard ? 'getter onA' : 'Accessors.onA, which is no method',
        ],
      ];
      for (const [make, where] of cases)
        assert.throws(make, {
          name: 'OptionsError',
          message: `decorators: @Retry on ${where}: it stands on a class, or on a method of one`,
        });
    });

    it('has no decorator without its parentheses', () => {
      for (const [decorator, name] of [
        [Handles, 'Handles'],
        [Idempotent, 'Idempotent'],
        [Encrypted, 'Encrypted'],
        [Timeout, 'Timeout'],
        [Queue, 'Queue'],
      ] as const) {
        const bare = untyped(decorator);
        const refusal = {
          name: 'OptionsError',
          message: `decorators: @${name} stands without parentheses: write @${name}(…)`,
        };
        assert.throws(() => {
          @bare
          class Bare {
            handle() {}
          }
          return Bare;
        }, refusal);
        assert.throws(() => {
          class Bare {
            @bare
            onA() {}
          }
          return Bare;
        }, refusal);
      }
    });

    it('is what makes a class a handler class: on it, on a method, or on a base of it', () => {
      @Handles('a')
      class OnClass {
        handle() {}
      }
      class OnMethod {
        @Handles('b')
        onB() {}
      }
      class Derived extends OnMethod {}
      @Queue({ name: 'q' })
      class OnlyQueue {}
      class Plain {}
      const values = {
        OnClass,
        again: OnClass,
        Derived,
        OnlyQueue,
        Plain,
        text: 'a',
        none: undefined,
        function() {},
      };
      assert.deepEqual(Object.values(values).map(isHandlerClass), [
        true,
        true,
        true,
        ...new Array(5).fill(false),
      ]);
      assert.equal(isHandlerClass(OnMethod), true);
      assert.deepEqual(handlerClassesOf(values), [OnClass, Derived]);
    });

    it('has no @Queue on a method', () => {
      const queue = untyped(Queue({ name: 'q' }));
      assert.throws(() => {
        class Queued {
          @queue
          onA() {}
        }
        return Queued;
      }, /@Queue on method onA: it stands on a class/);
    });

    it('never sees a static method through the policies either', () => {
      for (const decorator of [Retry({ tries: 2 }), Timeout('1s')]) {
        assert.throws(
          () => {
            class Static {
              @untyped(decorator)
              static onA() {}

              onB() {}
            }
            return Static;
          },
          (error) => error instanceof OptionsError && /on static (Static\.|method )onA: /.test(error.message),
        );
      }
    });
  });
}
