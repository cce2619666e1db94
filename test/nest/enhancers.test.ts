import assert from 'node:assert/strict';
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { EMPTY, Observable, of } from 'rxjs';
import { Handles, Timeout } from '../../decorators/index.js';
import { HandlerTimeoutError, OptionsError } from '../../src/index.js';
import { HoplineHandler, HoplinePayload } from '../../src/nest/index.js';
import { eventually } from '../support/eventually.js';
import { withBus } from './application.js';
import { calling, say, Trail } from './calling.js';

describe('guards, interceptors, pipes and filters in Nest', () => {
  it('run for all handlers if the application has them', async () => {
    @Injectable()
    class All implements CanActivate, NestInterceptor, PipeTransform, ExceptionFilter {
      constructor(private readonly trail: Trail) {}
      canActivate(context: ExecutionContext): boolean {
        say(this.trail, 'guard', context);
        return true;
      }
      intercept(context: ExecutionContext, next: CallHandler) {
        say(this.trail, 'interceptor', context);
        return next.handle();
      }
      transform(value: unknown) {
        this.trail.steps.push('pipe');
        return value;
      }
      catch(error: Error, host: ArgumentsHost): void {
        say(this.trail, `filter ${error.message}`, host);
      }
    }
    class Plain {
      @Handles('a')
      onA(): void {
        throw new Error('boom');
      }
    }
    const { bus, steps, errors } = await calling(
      Plain,
      ...[APP_GUARD, APP_INTERCEPTOR, APP_PIPE, APP_FILTER].map((provide) => ({ provide, useClass: All })),
    );
    await bus.publish('a', {});
    await eventually(() => assert.equal(errors.length, 2));
    assert.deepEqual(steps.slice(0, 4), [
      'guard hopline true',
      'interceptor hopline true',
      'pipe',
      'filter boom hopline true',
    ]);
    assert.match(String(errors[0]), /boom/);
  });

  it('leave an attempt failed unless a filter says what it returns instead', async () => {
    class Known extends Error {}
    @Catch(Known)
    class Swallow implements ExceptionFilter {
      catch(error: Known) {
        return error.message === 'nothing' ? EMPTY : of('said');
      }
    }
    @Catch(RangeError)
    class Translate implements ExceptionFilter {
      catch(error: RangeError): never {
        throw new SyntaxError('translated', { cause: error });
      }
    }
    @Catch(URIError)
    class Look implements ExceptionFilter {
      async catch(error: URIError): Promise<void> {
        looked.push(error.message);
      }
    }
    const looked: string[] = [];
    @UseFilters(Swallow, Look)
    class Failing {
      @UseFilters(Translate)
      @Handles('fails')
      onFails({ how }: { how: string }): void {
        if (how === 'range') throw new RangeError('out of it');
        if (how === 'other') throw new Error('other');
        if (how === 'looked at') throw new URIError(how);
        throw new Known(how);
      }
    }
    const { bus, errors, handled } = await calling(Failing);
    await bus.publish('fails', { how: 'nothing' });
    await bus.publish('fails', { how: 'something' });
    await handled(2);
    assert.deepEqual(errors, []);
    await bus.publish('fails', { how: 'other' });
    await eventually(() => assert.equal(errors.length, 2));
    await bus.publish('fails', { how: 'range' });
    await eventually(() => assert.equal(errors.length, 4));
    await bus.publish('fails', { how: 'looked at' });
    await eventually(() => assert.equal(errors.length, 6));
    assert.deepEqual(looked, ['looked at', 'looked at']);
    assert.deepEqual(errors.map(String), [
      ...['Error: other', 'Error: other'],
      ...['SyntaxError: translated', 'SyntaxError: translated'],
      ...['URIError: looked at', 'URIError: looked at'],
    ]);
  });

  it('keep the application from starting if Nest has made none of them for a handler of a factory or a value', async () => {
    @Injectable()
    class Refuse implements CanActivate {
      canActivate(): boolean {
        return false;
      }
    }
    @Injectable()
    class Look implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler) {
        return next.handle();
      }
    }
    @Injectable()
    class Pipe implements PipeTransform {
      transform(value: unknown) {
        return value;
      }
    }
    @Injectable()
    class OfParameter extends Pipe {}
    @Catch()
    class Filter implements ExceptionFilter {
      catch(): void {}
    }
    @UseGuards(Refuse)
    @UseFilters(Filter)
    class Guarded {
      @UseInterceptors(Look)
      @UsePipes(Pipe)
      @HoplineHandler('a')
      onA(@HoplinePayload(OfParameter) _payload: object): void {}
    }
    for (const provider of [
      { provide: Guarded, useFactory: () => new Guarded() },
      { provide: 'GUARDED', useValue: new Guarded() },
    ])
      await assert.rejects(withBus({ providers: [provider] }), (error: unknown) => {
        assert.ok(error instanceof OptionsError, String(error));
        for (const name of ['Refuse', 'Look', 'Pipe', 'OfParameter', 'Filter'])
          assert.match(
            error.message,
            new RegExp(`Guarded\\.onA would run without ${name}: .*List Guarded itself`),
          );
        return true;
      });
    await withBus({ providers: [Guarded] });
  });

  it('run for a handler of a factory if they are given as instances', async () => {
    let asked = 0;
    const refuse: CanActivate = {
      canActivate() {
        asked++;
        return false;
      },
    };
    @UseGuards(refuse)
    class Guarded {
      @Handles('a')
      onA(): void {
        throw new Error('was called');
      }
    }
    const { bus, errors } = await calling({ provide: Guarded, useFactory: () => new Guarded() });
    await bus.publish('a', {});
    await eventually(() => assert.equal(errors.length, 2));
    assert.equal(asked, 2);
    assert.match(errors.join(), /Forbidden/);
  });

  it('end with an attempt that has timed out: what an interceptor returned is not subscribed any more', async () => {
    let subscribed = 0;
    const forever: NestInterceptor = {
      intercept: () =>
        new Observable(() => {
          subscribed++;
          return () => {
            subscribed--;
          };
        }),
    };
    class Slow {
      @UseInterceptors(forever)
      @Timeout(100)
      @Handles('a', { retry: { tries: 1 } })
      onA(): void {}
    }
    const { bus, errors } = await calling(Slow);
    await bus.publish('a', {});
    await eventually(() => assert.equal(subscribed, 1));
    await eventually(() => assert.equal(errors.length, 1));
    assert.ok(errors[0] instanceof HandlerTimeoutError, String(errors[0]));
    assert.equal(subscribed, 0);
  });
});
