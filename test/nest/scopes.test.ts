import assert from 'node:assert/strict';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
  Scope,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import { APP_GUARD, ContextIdFactory, REQUEST } from '@nestjs/core';
import { Handles, Retry } from '../../decorators/index.js';
import { ContextOutsideMessageError, MessageContext, OptionsError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { eventually } from '../support/eventually.js';
import { application, busModule, withBus } from './application.js';

@Injectable()
class Seen {
  readonly all: unknown[] = [];
}

/** Below a handler: one for each message. */
@Injectable({ scope: Scope.REQUEST })
class Unit {
  readonly id = crypto.randomUUID();

  constructor(@Inject(REQUEST) readonly request: MessageContext) {}
}

@Injectable()
class Ship {
  readonly id = crypto.randomUUID();

  constructor(
    readonly seen: Seen,
    readonly unit: Unit,
    readonly context: MessageContext,
  ) {}

  @Handles('order.paid')
  onPaid(payload: unknown, context: MessageContext): void {
    this.seen.all.push({ instance: this, payload, context });
  }

  @Retry({ tries: 2, backoff: [0] })
  @Handles('order.lost')
  onLost(_payload: unknown, context: MessageContext): void {
    this.seen.all.push({ instance: this, context });
    throw new Error('lost');
  }

  failed(error: Error, _payload: unknown, context: MessageContext): void {
    this.seen.all.push({ instance: this, context, error });
  }
}

interface Call {
  readonly instance: Ship;
  readonly context: MessageContext;
}

describe('a request-scoped handler in Nest', () => {
  it('is built for each message, with what it needs, and the context of the message is its request', async () => {
    const { app, bus } = await withBus({ providers: [Seen, Unit, Ship] });
    await bus.publish('order.paid', 1);
    await bus.publish('order.paid', 2);
    const calls = app.get(Seen).all as Call[];
    await eventually(() => assert.equal(calls.length, 2));
    const [first, second] = calls.map(({ instance }) => instance);
    assert.notEqual(first?.id, second?.id);
    assert.notEqual(first?.unit.id, second?.unit.id);
    for (const { instance, context } of calls) {
      assert.equal(instance.context, context);
      assert.equal(instance.unit.request, context);
    }
  });

  it('has failed() called on the instance that has failed, and another for each attempt', async () => {
    const { app, bus } = await withBus({ providers: [Seen, Unit, Ship] });
    await bus.publish('order.lost', {});
    const calls = app.get(Seen).all as (Call & { readonly error?: Error })[];
    await eventually(() => assert.equal(calls.length, 3));
    const [first, last, failed] = calls.map(({ instance }) => instance);
    assert.notEqual(first, last);
    assert.equal(failed, last);
    assert.equal(calls[2]?.error?.message, 'lost');
  });

  it('has guards and pipes that are built for each message, with its context', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenants implements CanActivate, PipeTransform {
      constructor(
        private readonly context: MessageContext,
        private readonly seen: Seen,
      ) {}
      canActivate(of: ExecutionContext): boolean {
        this.seen.all.push(of.switchToRpc().getContext() === this.context);
        return this.context.headers.tenant === 'acme';
      }
      transform(value: object): object {
        return { ...value, tenant: this.context.headers.tenant };
      }
    }
    @UseGuards(Tenants)
    @UsePipes(Tenants)
    class Scoped {
      constructor(private readonly seen: Seen) {}
      @Handles('thing.made')
      onMade(payload: unknown): void {
        this.seen.all.push(payload);
      }
    }
    const { app, bus } = await withBus({ providers: [Seen, Scoped] });
    await bus.publish('thing.made', { a: 1 }, { headers: { tenant: 'other' } });
    const { all } = app.get(Seen);
    await eventually(() => assert.deepEqual(all, [true, true]));
    await bus.publish('thing.made', { a: 1 }, { headers: { tenant: 'acme' } });
    await eventually(() => assert.deepEqual(all.slice(2), [true, { a: 1, tenant: 'acme' }]));
  });

  it('becomes so by a request-scoped global guard, which is asked for each message', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Global implements CanActivate {
      constructor(
        private readonly context: MessageContext,
        private readonly seen: Seen,
      ) {}
      canActivate(): boolean {
        this.seen.all.push(this.context.routingKey);
        return false;
      }
    }
    class Plain {
      constructor(private readonly seen: Seen) {}
      @Handles('thing.*')
      onThing(): void {
        this.seen.all.push('handled');
      }
    }
    const { app, bus } = await withBus({
      providers: [
        Seen,
        { provide: APP_GUARD, useClass: Global },
        { provide: Plain, useFactory: (seen: Seen) => new Plain(seen), inject: [Seen] },
      ],
    });
    await bus.publish('thing.made', {});
    const { all } = app.get(Seen);
    await eventually(() => assert.deepEqual(all, ['thing.made', 'thing.made']));
  });

  it('shares what is durable among the messages of one tenant', async () => {
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Pool {
      readonly id = crypto.randomUUID();
      constructor(@Inject(REQUEST) readonly tenant: { readonly name: string }) {}
    }
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Booking {
      constructor(
        private readonly pool: Pool,
        private readonly seen: Seen,
      ) {}
      @Handles('booked')
      onBooked(): void {
        this.seen.all.push([this.pool.tenant.name, this.pool.id]);
      }
    }
    const roots = new Map<string, ReturnType<typeof ContextIdFactory.create>>();
    ContextIdFactory.apply({
      attach(contextId, request: MessageContext) {
        const name = String(request.headers.tenant);
        const root = roots.get(name) ?? ContextIdFactory.create();
        roots.set(name, root);
        return { resolve: (info) => (info.isTreeDurable ? root : contextId), payload: { name } };
      },
    });
    try {
      const { app, bus } = await withBus({ providers: [Seen, Pool, Booking] });
      const all = app.get(Seen).all as [string, string][];
      for (const tenant of ['a', 'b', 'a']) {
        const before = all.length;
        await bus.publish('booked', {}, { headers: { tenant } });
        await eventually(() => assert.equal(all.length, before + 1));
      }
      assert.deepEqual(
        all.map(([name]) => name),
        ['a', 'b', 'a'],
      );
      assert.equal(all[0]?.[1], all[2]?.[1]);
      assert.notEqual(all[0]?.[1], all[1]?.[1]);
    } finally {
      ContextIdFactory.apply(undefined as never);
    }
  });

  it('has no failed() called if it could not be made', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Unmade {
      constructor() {
        throw new Error('can not be made');
      }
      @Handles('a')
      onA(): void {}
      failed(): void {}
    }
    const lines: string[] = [];
    const note = (_fields: object, message: string) => void lines.push(message);
    const { bus } = await withBus(
      { providers: [Unmade] },
      { log: { ...silentLogger, warn: note, error: note } },
    );
    const dead = deferred();
    bus.on('message.deadLettered', () => dead.resolve());
    await bus.publish('a', {});
    await dead.promise;
    assert.ok(
      lines.some((line) => line.includes('can not be made')),
      lines.join('\n'),
    );
    assert.deepEqual(
      lines.filter((line) => line.includes('failed()')),
      [],
    );
  });

  it('is refused with scope: message, with bulk, and with what another container injects', async () => {
    class ByOption {
      @Handles('a', { scope: 'message' })
      onA(): void {}
      @Handles('c', { inject: [] })
      onC(): void {}
    }
    @Injectable({ scope: Scope.REQUEST })
    class Bulk {
      @Handles('b', { bulk: { max: 2 } })
      onB(): void {}
    }
    await assert.rejects(withBus({ providers: [ByOption, Bulk] }), (error: unknown) => {
      assert.ok(error instanceof OptionsError);
      assert.match(error.message, /ByOption\.onC has the option inject: in Nest the constructor of ByOption/);
      assert.match(error.message, /ByOption\.onA has scope 'message': in Nest it is @Injectable/);
      assert.match(
        error.message,
        /Bulk\.onB has the option bulk, and Bulk or what it needs is request-scoped/,
      );
      return true;
    });
  });
});

describe('other scopes in Nest', () => {
  it('a transient handler has one instance for its bus', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {
      constructor(private readonly seen: Seen) {}
      @Handles('a')
      onA(): void {
        this.seen.all.push(this);
      }
    }
    const { app, bus } = await withBus({ providers: [Seen, Transient] });
    await bus.publish('a', {});
    await bus.publish('a', {});
    const { all } = app.get(Seen);
    await eventually(() => assert.equal(all.length, 2));
    assert.ok(all[0] instanceof Transient);
    assert.equal(all[0], all[1]);
  });

  it('MessageContext is refused to what is built for another request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class OfRequest {
      constructor(readonly context: MessageContext) {}
    }
    const app = await application({ imports: [busModule()], providers: [OfRequest] });
    const contextId = ContextIdFactory.create();
    app.registerRequestByContextId({ url: '/orders' }, contextId);
    await assert.rejects(app.resolve(OfRequest, contextId), (error: unknown) => {
      assert.ok(error instanceof ContextOutsideMessageError, String(error));
      assert.match(error.help, /^In Nest, inject it only into what handles messages/);
      return true;
    });
  });
});
