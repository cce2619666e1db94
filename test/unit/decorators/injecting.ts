import assert from 'node:assert/strict';
import { delay } from 'tsyringe';
import { Handles, handlers, Queue } from '../../../decorators/index.js';
import type { Class } from '../../../decorators/metadata.js';
import { HandlerResolutionError } from '../../../src/errors.js';
import { MessageContext } from '../../../src/message/context.js';
import { Publisher } from '../../../src/message/publisher.js';
import { Requester } from '../../../src/message/requests/requester.js';
import { BusBench } from '../bus-bench.js';
import { own, published, refusal } from './support.js';

const CLOCK = Symbol('clock');

class Mailer {
  readonly sent: unknown[] = [];

  send(what: unknown) {
    this.sent.push(what);
  }
}

class Other extends Mailer {}

/** Dependencies that a class names itself, in whichever way it is compiled: this file is compiled in each. */
export function injecting(): void {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  /** What starting a bus with this class fails with. */
  async function refused(target: Class): Promise<HandlerResolutionError> {
    const error = await refusal(bench, target);
    assert.ok(error instanceof HandlerResolutionError, String(error));
    return error;
  }

  it('are given by class, string and symbol, from values, factories and singletons', async () => {
    @Handles('a')
    class Welcome {
      static inject = [Mailer, 'host', CLOCK];

      readonly mailer: Mailer;
      readonly host: string;
      readonly now: () => number;
      constructor(mailer: Mailer, host: string, now: () => number) {
        this.mailer = mailer;
        this.host = host;
        this.now = now;
      }

      handle({ key }: { key: string }) {
        this.mailer.send([this.host, key, this.now()]);
      }
    }
    const mine = own();
    mine.registerSingleton(Mailer);
    mine.registerInstance('host', 'localhost');
    mine.register(CLOCK, { useFactory: () => () => 7 });
    const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
    await published(bench, bus, 'a', 'a');
    assert.deepEqual(mine.resolve(Mailer).sent, [
      ['localhost', 'a', 7],
      ['localhost', 'a', 7],
    ]);
  });

  it('are named in @Handles as well, of a class or of a method, and may be said there twice alike', async () => {
    const seen: unknown[] = [];
    @Handles('a', { inject: ['one'] })
    class OfClass {
      readonly one: number;
      constructor(one: number) {
        this.one = one;
      }

      handle() {
        seen.push(this.one);
      }
    }
    class OfMethods {
      readonly two: number;
      constructor(two: number) {
        this.two = two;
      }

      @Handles('a', { inject: ['two'] })
      onA() {
        seen.push(this.two);
      }

      @Handles('b', { inject: ['two'] })
      onB() {
        seen.push(this.two);
      }
    }
    const mine = own();
    mine.registerInstance('one', 1);
    mine.registerInstance('two', 2);
    const bus = await bench.started({ handlers: handlers([OfClass, OfMethods], { container: mine }) });
    await published(bench, bus, 'a', 'b');
    assert.deepEqual(seen, [1, 2, 2]);
  });

  it('name theirs in turn, also singletons, and what is registered for an abstract class', async () => {
    abstract class Sender {
      abstract send(): string;
    }
    class Host {
      readonly name = 'localhost';
    }
    class Smtp extends Sender {
      static inject = [Host, 'port'];

      readonly host: Host;
      readonly port: number;
      constructor(host: Host, port: number) {
        super();
        this.host = host;
        this.port = port;
      }

      send() {
        return `${this.host.name}:${this.port}`;
      }
    }
    class Letters {
      static inject = [Sender];

      readonly sender: Sender;
      constructor(sender: Sender) {
        this.sender = sender;
      }
    }
    const seen: unknown[] = [];
    @Handles('a')
    class Welcome {
      static inject = [Letters, Letters, 'also'];

      readonly given: unknown[];
      constructor(one: Letters, other: Letters, also: Sender) {
        this.given = [one === other, one.sender.send(), also.send()];
      }

      handle() {
        seen.push(this.given);
      }
    }
    const mine = own();
    mine.register(Sender as never, { useClass: Smtp });
    mine.register('also', { useToken: Sender as never });
    mine.registerSingleton(Letters);
    mine.registerInstance('port', 25);
    const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
    await published(bench, bus, 'a');
    assert.deepEqual(seen, [[true, 'localhost:25', 'localhost:25']]);
  });

  it('may be the context of each message, and the publisher, however deep', async () => {
    const seen: unknown[] = [];
    class Audit {
      static inject = [MessageContext];

      readonly context: MessageContext;
      constructor(context: MessageContext) {
        this.context = context;
      }
    }
    @Handles('a', { scope: 'message' })
    class Scoped {
      static inject = [MessageContext, Audit, Publisher, Requester];

      readonly given: [MessageContext, Audit, Publisher, Requester];
      constructor(...given: [MessageContext, Audit, Publisher, Requester]) {
        this.given = given;
      }

      handle(_payload: unknown, context: MessageContext) {
        const [own, { context: audits }, publisher, requester] = this.given;
        const isBus = publisher instanceof Publisher && requester instanceof Requester;
        seen.push([own === context, audits === context, isBus]);
      }
    }
    const bus = await bench.started({ handlers: handlers([Scoped], { container: own() }) });
    await published(bench, bus, 'a', 'a');
    assert.deepEqual(seen, [
      [true, true, true],
      [true, true, true],
    ]);
  });

  it('may leave out parameters with defaults, go on into a rest, and be read at start', async () => {
    const seen: unknown[] = [];
    @Queue({ name: 'several' })
    class Several {
      static get inject() {
        return [Late, ...names];
      }

      constructor(late: Mailer, one: unknown = 'default', ...rest: unknown[]) {
        seen.push([late instanceof Late, one, ...rest]);
      }

      @Handles('a')
      onA() {}
    }
    class Late extends Mailer {}
    let names: string[] = [];
    for (names of [[], ['x'], ['x', 'y', 'z']]) {
      const mine = own();
      for (const name of names) mine.registerInstance(name, name);
      await bench.started({ handlers: handlers([Several], { container: mine }) });
      await bench.closeBuses();
    }
    assert.deepEqual(seen, [
      [true, 'default'],
      [true, 'x'],
      [true, 'x', 'y', 'z'],
    ]);
  });

  it('are those of its base where a class has no constructor of its own', async () => {
    const seen: unknown[] = [];
    class Base {
      static inject = [Mailer];

      readonly mailer: Mailer;
      constructor(mailer: Mailer) {
        this.mailer = mailer;
      }
    }
    class Middle extends Base {}
    @Handles('a')
    class Derived extends Middle {
      handle() {
        seen.push(this.mailer instanceof Mailer);
      }
    }
    @Handles('a')
    class Own extends Base {
      constructor() {
        super(new Mailer());
      }

      handle() {
        seen.push('own');
      }
    }
    @Handles('a')
    class Naming extends Base {
      static override inject = ['name', Mailer] as never;

      constructor(name: string, mailer: Mailer) {
        super(mailer);
        seen.push(name);
      }

      handle() {
        seen.push(this.mailer instanceof Mailer);
      }
    }
    const mine = own();
    mine.registerInstance('name', 'naming');
    const bus = await bench.started({ handlers: handlers([Derived, Own, Naming], { container: mine }) });
    await published(bench, bus, 'a');
    assert.deepEqual(seen, ['naming', true, 'own', true]);
  });

  it('are those of its base, too, where a compiler has written a constructor that passes all on', async () => {
    const seen: unknown[] = [];
    class Base {
      static inject = [Mailer];

      readonly mailer: Mailer;
      constructor(mailer: Mailer) {
        this.mailer = mailer;
      }
    }
    @Queue({ name: 'derived' })
    class Derived extends Base {
      readonly field = 'field';

      @Handles('a')
      onA() {
        seen.push([this.mailer instanceof Mailer, this.field]);
      }
    }
    @Queue({ name: 'without-fields' })
    class WithoutFields extends Base {
      @Handles('a')
      onA() {
        seen.push(this.mailer instanceof Mailer);
      }
    }
    // As Babel and swc write it.
    @Queue({ name: 'passing' })
    class Passing extends Base {
      constructor(...args: [Mailer]) {
        super(...args);
      }

      @Handles('a')
      onA() {
        seen.push(this.mailer instanceof Mailer);
      }
    }
    @Queue({ name: 'naming' })
    class Naming extends Base {
      static override inject = [Other];

      readonly field = 'other field';

      @Handles('a')
      onA() {
        seen.push([this.mailer instanceof Other, this.field]);
      }
    }
    const bus = await bench.started({
      handlers: handlers([Derived, WithoutFields, Passing, Naming], { container: own() }),
    });
    await published(bench, bus, 'a');
    assert.deepEqual(seen, [[true, 'field'], true, true, [true, 'other field']]);
  });

  it('may be delayed by tsyringe, and need no list where a constructor takes nothing', async () => {
    @Handles('a')
    class Welcome {
      static inject = [delay(() => Mailer)];

      readonly mailer: Mailer;
      constructor(mailer: Mailer) {
        this.mailer = mailer;
      }

      handle(payload: unknown) {
        this.mailer.send(payload);
      }
    }
    const mine = own();
    mine.registerSingleton(Mailer);
    const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
    await published(bench, bus, 'a');
    assert.deepEqual(mine.resolve(Mailer).sent, [{ key: 'a' }]);
  });

  it('may name in turn what is behind delay(), also in a circle', async () => {
    class Outbox {
      static get inject() {
        return [Mailer, delay(() => Sender)];
      }

      readonly mailer: Mailer;
      readonly sender: Sender;
      constructor(mailer: Mailer, sender: Sender) {
        this.mailer = mailer;
        this.sender = sender;
      }
    }
    class Sender {
      static inject = [Outbox, 'host'];

      readonly outbox: Outbox;
      readonly host: string;
      constructor(outbox: Outbox, host: string) {
        this.outbox = outbox;
        this.host = host;
      }

      greet() {
        return `from ${this.host}`;
      }
    }
    const seen: unknown[] = [];
    @Handles('a')
    class Welcome {
      static inject = [delay(() => Sender)];

      readonly sender: Sender;
      constructor(sender: Sender) {
        this.sender = sender;
      }

      handle() {
        seen.push(this.sender.greet(), this.sender.outbox.sender.greet());
      }
    }
    const mine = own();
    mine.registerInstance('host', 'localhost');
    const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
    await published(bench, bus, 'a');
    assert.deepEqual(seen, ['from localhost', 'from localhost']);
  });

  it('are not what a static method of that name is', async () => {
    class Tool {
      static inject() {
        return 'something else';
      }

      use() {}
    }
    @Handles('a')
    class Welcome {
      static inject = [Tool];

      constructor(tool: Tool) {
        tool.use();
      }

      handle() {}
    }
    await bench.started({ handlers: handlers([Welcome], { container: own() }) });
  });

  describe('that can not work show at start', () => {
    const make = (inject: unknown, ...handles: [object?]) => {
      @Handles('a', handles[0] as { scope?: 'message' })
      class Billing {
        static inject = inject;

        readonly given: unknown[];
        constructor(mailer: unknown, clock: unknown) {
          this.given = [mailer, clock];
        }

        handle() {}
      }
      return Billing;
    };

    it('for too few and for too many, where each message has an instance of its own, too', async () => {
      for (const [inject, count] of [
        [[Mailer], 1],
        [[], 0],
        [[Mailer, CLOCK, CLOCK], 3],
      ] as const)
        for (const scope of ['singleton', 'message']) {
          const error = await refused(make(inject, { scope }));
          assert.equal(
            error.message,
            `class Billing takes 2 constructor parameters, and its static inject names ${count}`,
          );
        }
      @Handles('a', { inject: [] as never })
      class Open {
        readonly one: unknown;
        constructor(one: unknown, two: unknown = 2) {
          this.one = [one, two];
        }

        handle() {}
      }
      assert.equal(
        (await refused(Open)).message,
        'class Open takes 1 or more constructor parameters, and its inject of @Handles names 0',
      );
      @Handles('a')
      class Nothing {
        static inject = [Mailer];

        handle() {}
      }
      assert.equal(
        (await refused(Nothing)).message,
        'class Nothing takes 0 constructor parameters, and its static inject names 1',
      );
    });

    it('for what is no token: undefined in a circle of imports, or a value', async () => {
      const circle = await refused(make([Mailer, undefined]));
      assert.equal(circle.message, 'static inject of class Billing names undefined for parameter #1 (clock)');
      assert.match(circle.help, /import each other.*static get inject\(\)/);
      for (const value of [7, null, {}, () => Mailer]) {
        const error = await refused(make([value, Mailer]));
        assert.match(error.message, /^static inject of class Billing names .+ for parameter #0 \(mailer\)$/);
        assert.match(error.help, /^Name a class, or a string or symbol/);
      }
    });

    it('for a dependency that does not say what it takes, and for one that says it wrongly', async () => {
      class Store {
        static inject?: unknown;
        readonly url: string;
        constructor(url: string) {
          this.url = url;
        }
      }
      const silent = await refused(make([Mailer, Store]));
      assert.equal(
        silent.message,
        'class Store, which Billing needs, takes 1 constructor parameter, but nothing says what to give as #0 (url): it has no static inject, and no parameter metadata',
      );
      assert.match(silent.help, /^Register Store in the container\. Or: .*static inject = \[/);
      Store.inject = ['url', 'more'];
      assert.match(
        (await refused(make([Mailer, Store]))).message,
        /^class Store takes 1 constructor parameter, /,
      );
    });

    it('for a token for which nothing is registered, and an abstract class', async () => {
      abstract class Sender {
        abstract send(): void;
      }
      for (const [token, text] of [
        [CLOCK, 'Symbol(clock)'],
        [Sender, 'nothing is registered for Sender'],
      ] as const) {
        const { message } = await refused(make([Mailer, token]));
        assert.ok(message.startsWith("class Billing can't be built: "), message);
        assert.ok(message.includes(text), message);
      }
    });

    it('for what is no list, and what is registered as undefined', async () => {
      const single = await refused(make(Mailer));
      assert.match(
        single.message,
        /^class Billing takes 2 .*: its static inject is no list, and no parameter/,
      );
      const inMadeUp = make([Mailer, Mailer], { inject: Mailer } as never);
      assert.throws(() => handlers([inMadeUp]), {
        name: 'OptionsError',
        message:
          'handlers: expected inject of Billing to be a list of tokens, [Mailer, TOKEN], got function Mailer',
      });
      const mine = own();
      mine.register('nothing', { useValue: undefined });
      const bus = bench.bus({ handlers: handlers([make([Mailer, 'nothing'])], { container: mine }) });
      await assert.rejects(bus.start(), HandlerResolutionError);
    });

    it('for classes that need each other', async () => {
      class Sender {
        static get inject() {
          return [Receiver];
        }

        readonly receiver: Receiver;
        constructor(receiver: Receiver) {
          this.receiver = receiver;
        }
      }
      class Receiver {
        static inject = [Sender];

        readonly sender: Sender;
        constructor(sender: Sender) {
          this.sender = sender;
        }
      }
      const error = await refused(make([Mailer, Receiver]));
      assert.equal(
        error.message,
        'none of these classes can be built, as each needs the next: Receiver, Sender, Receiver',
      );
      assert.match(error.help, /delay\(\(\) => Class\)/);
    });

    it('for two lists that differ', async () => {
      const error = await refused(make([Mailer, CLOCK], { inject: [CLOCK, Mailer] }));
      assert.equal(
        error.message,
        'class Billing names its dependencies twice, and not the same: static inject and inject of @Handles',
      );
    });

    it('for a class with a constructor of its own, whatever its base names', async () => {
      class Base {
        static inject = [Mailer];

        readonly mailer: Mailer;
        constructor(mailer: Mailer) {
          this.mailer = mailer;
        }
      }
      @Handles('a')
      class Derived extends Base {
        constructor(mailer: Mailer) {
          super(mailer);
        }

        handle() {}
      }
      assert.match(
        (await refused(Derived)).message,
        /^class Derived takes 1 constructor parameter, but nothing /,
      );
      @Handles('a')
      class Defaults extends Base {
        constructor(mailer = new Mailer()) {
          super(mailer);
        }

        handle() {}
      }
      assert.equal(
        (await refused(Defaults)).message,
        'class Defaults has a constructor of its own with defaults, and extends Base, which names its dependencies',
      );
    });
  });
}
