import assert from 'node:assert/strict';
import {
  type ArgumentMetadata,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  type NestInterceptor,
  NotFoundException,
  type PipeTransform,
  SetMetadata,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { map } from 'rxjs';
import { z } from 'zod';
import { Handles, Replies } from '../../decorators/index.js';
import { defineRequest, MessageContext, ResponderError } from '../../src/index.js';
import { HoplineContext, HoplineHandler, HoplinePayload, HoplineResponder } from '../../src/nest/index.js';
import { eventually } from '../support/eventually.js';
import { calling, Guard, say, Trail } from './calling.js';

class Order {
  constructor(
    readonly id: string,
    readonly total: number,
  ) {}
}

@Injectable()
class Interceptor implements NestInterceptor {
  constructor(private readonly trail: Trail) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    const isContext = context.switchToRpc().getContext() instanceof MessageContext;
    say(this.trail, `interceptor ${isContext}`, context);
    return next.handle().pipe(
      map((value) => {
        this.trail.steps.push(`returned ${value}`);
        return value;
      }),
    );
  }
}

/** As those of Nest's documentation: it asks neither for the kind of the parameter nor for its type. */
@Injectable()
class ToOrder implements PipeTransform {
  constructor(private readonly trail: Trail) {}

  transform(value: { id?: unknown; total?: unknown }, { type, metatype }: ArgumentMetadata): Order {
    this.trail.steps.push(`pipe ${type} ${metatype?.name}`);
    if (typeof value.id !== 'string' || typeof value.total !== 'number') throw new TypeError('no order');
    return new Order(value.id, value.total);
  }
}

@Injectable()
@SetMetadata('role', 'clerk')
@UseGuards(Guard)
class Orders {
  constructor(private readonly trail: Trail) {}

  @UseInterceptors(Interceptor)
  @UsePipes(ToOrder)
  @Handles('order.placed')
  onPlaced(order: Order, context: MessageContext): string {
    const { steps } = this.trail;
    steps.push(
      `handler ${order instanceof Order} ${context instanceof MessageContext} ${context.routingKey}`,
    );
    return order.id;
  }
}

describe('a handler in Nest', () => {
  it('runs behind its guards, interceptors and pipes, as other entry points do', async () => {
    const { bus, steps, handled } = await calling(Orders);
    await bus.publish('order.placed', { id: 'A7', total: 12 });
    await handled(1);
    assert.deepEqual(steps, [
      'guard Orders.onPlaced clerk hopline true',
      'interceptor true hopline true',
      'pipe body Order',
      'handler true true order.placed',
      'returned A7',
    ]);
  });

  it('does not run if a guard refuses: the attempt has failed, and follows the retry policy', async () => {
    const { bus, steps, errors } = await calling(Orders);
    await bus.publish('order.placed', { id: 'A7', total: 5_000 });
    await eventually(() => assert.equal(errors.length, 2));
    assert.ok(errors.every((error) => error instanceof ForbiddenException));
    assert.ok(steps.every((step) => step.startsWith('guard')));
  });

  it('can have a refusal dead-lettered at once', async () => {
    @UseGuards(Guard)
    class Strict {
      @Handles('order.placed', { retry: { on: [{ error: ForbiddenException, then: 'dead-letter' }] } })
      onPlaced(): void {}
    }
    const { bus, errors } = await calling(Strict);
    let reason: string | undefined;
    bus.on('message.deadLettered', (event) => {
      reason = event.reason;
    });
    await bus.publish('order.placed', { total: 5_000 });
    await eventually(() => assert.equal(reason, 'unrecoverable'));
    assert.equal(errors.length, 1);
  });

  it('does not run if a pipe throws', async () => {
    const { bus, errors, steps } = await calling(Orders);
    await bus.publish('order.placed', { id: 7, total: 1 });
    await eventually(() => assert.equal(errors.length, 2));
    assert.match(String(errors[0]), /TypeError: no order/);
    assert.ok(!steps.some((step) => step.startsWith('handler')));
  });

  it('takes custom parameters, properties of the payload and the context where decorators say so', async () => {
    const Key = createParamDecorator(
      (prefix: string, context: ExecutionContext) =>
        `${prefix}${context.switchToRpc().getContext<MessageContext>().routingKey}`,
    );
    const Doubled: PipeTransform = { transform: (value: number) => value * 2 };
    const seen: unknown[] = [];
    class Special {
      @HoplineHandler('one')
      onOne(
        @HoplineContext() context: MessageContext,
        @HoplinePayload('total', Doubled) total: number,
      ): void {
        seen.push(context.routingKey, total);
      }

      @Handles('two')
      onTwo(payload: object, context: MessageContext, @Key('key: ') key?: string): void {
        seen.push(payload, context.routingKey, key);
      }

      @HoplineHandler('three')
      onThree(@Key('-') key: string, @HoplinePayload() payload: object): void {
        seen.push(payload, key);
      }
    }
    const { bus, handled } = await calling(Special);
    await bus.publish('one', { total: 21 });
    await handled(1);
    await bus.publish('two', { total: 1 });
    await handled(2);
    await bus.publish('three', { total: 2 });
    await handled(3);
    assert.deepEqual(seen, ['one', 42, { total: 1 }, 'two', 'key: two', { total: 2 }, '-three']);
  });

  it('has failed() called with the payload as it came, without guards and pipes', async () => {
    const seen: unknown[] = [];
    @UsePipes({ transform: () => 'transformed' })
    class Failing {
      @Handles('fails')
      onFails(payload: unknown): void {
        seen.push(payload);
        throw new Error('no');
      }

      failed(error: Error, payload: unknown, context: MessageContext): void {
        seen.push(error.message, payload, context.attempt);
      }
    }
    const { bus } = await calling(Failing);
    await bus.publish('fails', { a: 1 });
    await eventually(() => assert.deepEqual(seen, ['transformed', 'transformed', 'no', { a: 1 }, 2]));
  });

  it('takes many messages in one call, whose pipes see the list', async () => {
    const seen: unknown[] = [];
    @UsePipes({ transform: (all: readonly number[]) => all.map((each) => each * 10) })
    class Many {
      @Handles('number', { bulk: { max: 2, within: '10s' } })
      onNumbers(payloads: number[], contexts: MessageContext[]): void {
        seen.push(payloads.toSorted(), contexts.length);
      }
    }
    const { bus, handled } = await calling(Many);
    await bus.publishMany('number', [1, 2]);
    await handled(2);
    assert.deepEqual(seen, [[10, 20], 2]);
  });

  it('answers requests, whose replies pass its interceptors, and whose errors reach who asked', async () => {
    const GetTotal = defineRequest('total.get', {
      request: z.object({ id: z.string(), total: z.number() }),
      reply: z.number(),
    });
    const GetName = defineRequest('name.get', { request: z.object({ id: z.string() }), reply: z.string() });
    const Doubling: NestInterceptor = {
      intercept: (_context, next) => next.handle().pipe(map((value) => value * 2)),
    };
    class Totals {
      @UseGuards(Guard)
      @UseInterceptors(Doubling)
      @Replies(GetTotal)
      total({ total }: { id: string; total: number }): number {
        return total;
      }

      @HoplineResponder(GetName)
      name(@HoplineContext() context: MessageContext, @HoplinePayload('id') id: string): string {
        if (id === 'none') throw new NotFoundException(`no ${id}`);
        return `${id} ${context.routingKey}`;
      }
    }
    const { bus } = await calling(Totals);
    assert.equal(await bus.request(GetTotal, { id: 'A7', total: 21 }), 42);
    assert.equal(await bus.request(GetName, { id: 'A7' }), 'A7 name.get');
    const told = (code: string, message: string) => (error: unknown) => {
      assert.ok(error instanceof ResponderError, String(error));
      assert.deepEqual([error.remote.code, error.remote.message], [code, message]);
      return true;
    };
    await assert.rejects(
      bus.request(GetTotal, { id: 'A7', total: 5_000 }),
      told('ForbiddenException', 'Forbidden resource'),
    );
    await assert.rejects(bus.request(GetName, { id: 'none' }), told('NotFoundException', 'no none'));
  });
});
