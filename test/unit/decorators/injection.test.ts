import assert from 'node:assert/strict';
import { container, inject, injectable, singleton } from 'tsyringe';
import { Handles, handlers, Queue } from '../../../decorators/index.js';
import { HandlerResolutionError } from '../../../src/errors.js';
import { MessageContext } from '../../../src/message/context.js';
import { BusBench } from '../bus-bench.js';
import { own, published, refusal } from './support.js';

@injectable()
class Mailer {
  readonly sent: unknown[] = [];
}

describe('injection', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  it("gives a handler its dependencies from the caller's container", async () => {
    @Handles('a')
    class Welcome {
      constructor(private readonly mailer: Mailer) {}

      handle(payload: unknown) {
        this.mailer.sent.push(payload);
      }
    }
    const mine = own();
    mine.registerSingleton(Mailer);
    const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
    await published(bench, bus, 'a');
    assert.deepEqual(mine.resolve(Mailer).sent, [{ key: 'a' }]);
  });

  it('makes a singleton once, at start, and runs all its methods on it', async () => {
    const made: object[] = [];
    const ran: unknown[] = [];
    @Queue({ name: 'billing' })
    class Billing {
      constructor() {
        made.push(this);
      }

      @Handles('a')
      onA() {
        ran.push(this);
      }

      @Handles('b')
      onB() {
        ran.push(this);
      }
    }
    const bus = bench.bus({ handlers: handlers([Billing], { container: own() }) });
    assert.equal(made.length, 0);
    await bus.start();
    assert.equal(made.length, 1);
    await published(bench, bus, 'a', 'b', 'a');
    assert.equal(made.length, 1);
    assert.deepEqual(ran, [made[0], made[0], made[0]]);
  });

  it('lets failed() serve all methods of its class, on the instance that failed', async () => {
    const failed: unknown[] = [];
    @Queue({ name: 'billing' })
    class Billing {
      private readonly name = 'billing';

      @Handles('a')
      onA() {
        throw new Error('a failed');
      }

      @Handles('b')
      async onB() {
        throw new Error('b failed');
      }

      failed(error: Error, payload: unknown, context: MessageContext) {
        failed.push([this.name, error.message, payload, context.routingKey]);
      }
    }
    const bus = await bench.started({
      handlers: handlers([Billing], { container: own() }),
      retry: { tries: 1 },
    });
    await published(bench, bus, 'a', 'b');
    assert.deepEqual(failed, [
      ['billing', 'a failed', { key: 'a' }, 'a'],
      ['billing', 'b failed', { key: 'b' }, 'b'],
    ]);
  });

  describe('that can not work shows at start', () => {
    it('for a class without any decorator of its own: it has no parameter metadata', async () => {
      class Plain {
        constructor(readonly mailer: Mailer) {}

        @Handles('a')
        onA() {}
      }
      const error = await refusal(bench, Plain);
      assert.ok(error instanceof HandlerResolutionError, String(error));
      assert.equal(
        error.message,
        'class Plain takes 1 constructor parameter, but nothing says what to give as #0 (mailer): it has no static inject, and no parameter metadata',
      );
      for (const cure of ['static inject = [', 'emitDecoratorMetadata', 'a decorator on the class itself']) {
        assert.ok(error.help.includes(cure), cure);
      }
    });

    it("for a derived class with a constructor of its own, whatever its base's metadata say", async () => {
      @injectable()
      class Base {
        constructor(readonly mailer: Mailer) {}
      }
      class Derived extends Base {
        constructor(
          mailer: Mailer,
          readonly second: Mailer,
        ) {
          super(mailer);
        }

        @Handles('a')
        onA() {}
      }
      const error = await refusal(bench, Derived);
      assert.ok(error instanceof HandlerResolutionError, String(error));
      assert.match(error.message, /^class Derived takes 2 constructor parameters/);
    });

    it('for a dependency that nobody has registered', async () => {
      @Handles('a')
      class Saver {
        constructor(@inject('Clock') readonly clock: unknown) {}

        handle() {}
      }
      const error = await refusal(bench, Saver);
      assert.ok(error instanceof HandlerResolutionError, String(error));
      assert.match(error.message, /^class Saver can't be built: .*"Clock"/s);
      assert.ok(error.cause instanceof Error);
    });

    it('for a dependency whose type is gone at run time, and says which, also of a class that is needed', async () => {
      @injectable()
      class Store {
        constructor(
          readonly mailer: Mailer,
          readonly options: Record<string, unknown>,
        ) {}
      }
      @Handles('a')
      class Keeper {
        constructor(readonly store: Store) {}

        handle() {}
      }
      const error = await refusal(bench, Keeper);
      assert.ok(error instanceof HandlerResolutionError, String(error));
      assert.equal(
        error.message,
        'class Store, which Keeper needs, takes 2 constructor parameters, but nothing says what to give as #1 (options): ' +
          'of its type only Object is left at run time, as of an interface',
      );
    });

    it('for an abstract class that nobody has registered, however deep it is needed, and says so', async () => {
      abstract class Sender {
        abstract send(): void;
      }
      @injectable()
      class Welcomer {
        constructor(readonly sender: Sender) {}

        greet() {
          this.sender.send();
        }
      }
      @Handles('a')
      class Direct {
        constructor(readonly sender: Sender) {}

        handle() {}
      }
      @Handles('a')
      class Deep {
        constructor(readonly welcomer: Welcomer) {}

        handle() {}
      }
      class ByToken {
        constructor(@inject(Sender as never) readonly sender: Sender) {}

        @Handles('a')
        onA() {}
      }
      for (const target of [Direct, Deep, ByToken]) {
        const error = await refusal(bench, target);
        assert.ok(error instanceof HandlerResolutionError, String(error));
        assert.match(error.message, /"sender" at position #0.*nothing is registered for Sender, .*abstract/s);
        assert.match(error.help, /^Register what is missing/);
      }
    });

    it('for a constructor that throws', async () => {
      @Handles('a')
      class Broken {
        constructor() {
          throw new Error('no configuration');
        }

        handle() {}
      }
      const error = await refusal(bench, Broken);
      assert.ok(error instanceof HandlerResolutionError, String(error));
      assert.match(error.message, /class Broken can't be built: no configuration/);
    });

    it('and leaves nothing running: the bus may be started again when the cure is in place', async () => {
      @Handles('a')
      class Saver {
        constructor(@inject('Clock') readonly clock: unknown) {}

        handle() {}
      }
      const mine = own();
      const bus = bench.bus({ handlers: handlers([Saver], { container: mine }) });
      await assert.rejects(bus.start(), HandlerResolutionError);
      mine.registerInstance('Clock', {});
      await bus.start();
    });
  });

  it('needs no metadata where each parameter names its token, or where there is no parameter', async () => {
    class Tokens {
      constructor(@inject('Clock') readonly clock: unknown) {}

      @Handles('a')
      onA() {}
    }
    class Nothing {
      @Handles('b')
      onB() {}
    }
    @injectable()
    class Base {
      constructor(readonly mailer: Mailer) {}
    }
    const mailers: Mailer[] = [];
    class Inherits extends Base {
      @Handles('c')
      onC() {
        mailers.push(this.mailer);
      }
    }
    const mine = own();
    mine.registerInstance('Clock', {});
    const bus = await bench.started({ handlers: handlers([Tokens, Nothing, Inherits], { container: mine }) });
    await published(bench, bus, 'c');
    assert.ok(mailers[0] instanceof Mailer);
  });

  it('asks nothing of the type of a parameter that names its token', async () => {
    class Clock {
      constructor(readonly offsetMs: number) {}
    }
    const seen: unknown[] = [];
    @Handles('a')
    class Watcher {
      constructor(@inject('clock') readonly clock: Clock) {}

      handle() {
        seen.push(this.clock.offsetMs);
      }
    }
    const mine = own();
    mine.registerInstance('clock', new Clock(7));
    const bus = await bench.started({ handlers: handlers([Watcher], { container: mine }) });
    await published(bench, bus, 'a');
    assert.deepEqual(seen, [7]);
  });

  it("goes by a base's metadata for a class without a constructor, and for no other, also of one that is needed", async () => {
    @injectable()
    class Base {
      constructor(readonly mailer: Mailer | string) {}
    }
    class Without extends Base {}
    class Own extends Base {
      constructor(name = 'own') {
        super(name);
      }
    }
    const seen: unknown[] = [];
    @Handles('a')
    class Needs {
      static inject = [Without, Own];

      constructor(
        readonly without: Without,
        readonly own: Own,
      ) {}

      handle() {
        seen.push(this.without.mailer instanceof Mailer, this.own.mailer);
      }
    }
    class Handling extends Base {
      constructor(name = 'handling') {
        super(name);
      }

      @Handles('a')
      onA() {
        seen.push(this.mailer);
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Mailer], Base);
    const bus = await bench.started({ handlers: handlers([Needs, Handling], { container: own() }) });
    await published(bench, bus, 'a');
    assert.deepEqual(seen, [true, 'own', 'handling']);
  });

  it('takes an abstract class for which something is registered, and an empty one that is registered itself', async () => {
    abstract class Sender {
      abstract send(): void;
    }
    class Marker {}
    let sent = 0;
    class Smtp extends Sender {
      override send() {
        sent += 1;
      }
    }
    @Handles('a')
    class Welcome {
      constructor(
        private readonly sender: Sender,
        readonly marker: Marker,
      ) {}

      handle() {
        this.sender.send();
      }
    }
    const mine = own();
    mine.register(Sender as never, { useClass: Smtp });
    mine.register(Marker, { useClass: Marker });
    const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
    await published(bench, bus, 'a');
    assert.equal(sent, 1);
  });

  it('refuses an unregistered abstract class at each message where the class is built for each', async () => {
    abstract class Sender {
      abstract send(): void;
    }
    @Handles('a', { scope: 'message' })
    class Welcome {
      constructor(private readonly sender: Sender) {}

      handle() {
        this.sender.send();
      }
    }
    const bus = await bench.started({
      handlers: handlers([Welcome], { container: own() }),
      retry: { tries: 1 },
    });
    const reasons: string[] = [];
    bus.on('message.deadLettered', ({ error }) => reasons.push(String(error)));
    await published(bench, bus, 'a', 'a');
    assert.equal(reasons.length, 2);
    for (const reason of reasons) assert.match(reason, /HandlerResolutionError: .*registered for Sender/s);
  });

  describe('by a list goes before metadata', () => {
    const TYPES = 'design:paramtypes';

    it('of types and of @inject, of which it changes nothing', async () => {
      class Better extends Mailer {}
      const seen: unknown[] = [];
      @Handles('a')
      class Welcome {
        static inject = [Better, 'host'];

        constructor(
          readonly mailer: Mailer,
          @inject('another') readonly host: string,
          readonly port = 25,
        ) {}

        handle() {
          seen.push([this.mailer instanceof Better, this.host, this.port]);
        }
      }
      const before = Reflect.getOwnMetadata(TYPES, Welcome);
      const mine = own();
      mine.registerInstance('host', 'localhost');
      const bus = await bench.started({ handlers: handlers([Welcome], { container: mine }) });
      await published(bench, bus, 'a');
      assert.deepEqual(seen, [[true, 'localhost', 25]]);
      assert.equal(Reflect.getOwnMetadata(TYPES, Welcome), before);
      assert.deepEqual(before, [Mailer, String, Object]);
      assert.deepEqual(Reflect.getOwnMetadata('injectionTokens', Welcome), {
        1: { token: 'another', multiple: false, isOptional: undefined },
      });
    });

    it('of a base class, whose own stay as they are', async () => {
      @injectable()
      class Base {
        constructor(readonly mailer: Mailer) {}
      }
      class Derived extends Base {
        static inject = ['host', Mailer];

        constructor(
          readonly host: string,
          mailer: Mailer,
        ) {
          super(mailer);
        }

        @Handles('a')
        onA() {}
      }
      const mine = own();
      mine.registerInstance('host', 'localhost');
      await bench.started({ handlers: handlers([Derived], { container: mine }) });
      assert.deepEqual(Reflect.getMetadata(TYPES, Base), [Mailer]);
      assert.equal(Reflect.hasOwnMetadata(TYPES, Derived), false);
      assert.ok(mine.resolve(Base).mailer instanceof Mailer);
      assert.equal(mine.resolve(Derived).host, 'localhost');
    });
  });

  it("uses tsyringe's global container if none is given", async () => {
    @singleton()
    class Registry {
      readonly seen: unknown[] = [];
    }
    @Handles('a')
    class Recorder {
      constructor(private readonly registry: Registry) {}

      handle(payload: unknown) {
        this.registry.seen.push(payload);
      }
    }
    const bus = await bench.started({ handlers: handlers([Recorder]) });
    await published(bench, bus, 'a');
    assert.deepEqual(container.resolve(Registry).seen, [{ key: 'a' }]);
  });
});
