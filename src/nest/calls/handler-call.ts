import { type ArgumentsHost, ForbiddenException, type Type } from '@nestjs/common';
import type { MessageContext } from '../../message/context.js';
import type { HandlerFunction } from '../../pipeline/handler.js';
import type { NestParts, Place } from './nest-parts.js';
import { argumentsOf } from './parameters.js';

/** Type of the execution context: what `context.getType()` returns for a message. */
const TYPE = 'hopline';

/**
 * Tells whether a guard, an interceptor or a filter is called for a message: `context.getArgs()` is then payload and MessageContext, and
 * `context.switchToRpc()` has them as `getData()` and `getContext()`.
 */
export const isHoplineContext = (host: ArgumentsHost): boolean => host.getType<string>() === TYPE;

/** The message that Nest's own entry points give. */
const REFUSED = 'Forbidden resource';

/**
 * Makes the function that calls a method as Nest's entry points do: guards, interceptors, pipes, the method; and the filters for what any
 * of these throws. What no filter takes is the failure of the attempt.
 *
 * @param name name of the method that `place` has
 */
export function handlerCall(parts: NestParts, target: Type, name: string, place: Place): HandlerFunction {
  const [instance, method] = place;
  const guards = parts.guardsContextCreator.create(...place);
  const interceptors = parts.interceptorsContextCreator.create(...place);
  const filters = parts.filtersContextCreator.create(...place);
  const makeArguments = argumentsOf(parts, target, name, place);
  const { guardsConsumer, interceptorsConsumer } = parts;
  const contextOf = (args: readonly unknown[]) => {
    const context = guardsConsumer.createContext(args, instance, method);
    context.setType(TYPE);
    return context;
  };
  return async (payload, context) => {
    const args = [payload, context];
    try {
      if (!(await guardsConsumer.tryActivate(guards, args, instance, method, TYPE)))
        throw new ForbiddenException(REFUSED);
      const next = async () => method.apply(instance, await makeArguments(args, () => contextOf(args)));
      return await lastOf(
        await interceptorsConsumer.intercept(interceptors, args, instance, method, next, TYPE),
        context,
      );
    } catch (error) {
      const said = await filters.invokeCustomFilters(error, contextOf(args));
      // A filter that returns nothing has only looked. That of Nest 11 is null where none was asked.
      if (said === undefined || said === null) throw error;
      return await lastOf(said, context);
    }
  };
}

interface Subscribable {
  subscribe(observer: { next(value: unknown): void; error(error: unknown): void; complete(): void }): {
    unsubscribe(): void;
  };
}

const isSubscribable = (value: unknown): value is Subscribable =>
  typeof value === 'object' && value !== null && typeof (value as Subscribable).subscribe === 'function';

/**
 * What an observable has given last, undefined if nothing; any other value as it is. When the attempt is over before it has
 * completed, it is unsubscribed: what it is made of ends, too.
 */
function lastOf(value: unknown, context: MessageContext | readonly MessageContext[]): unknown {
  if (!isSubscribable(value)) return value;
  // Those of a bulk are of one attempt.
  const { signal } = [context].flat()[0] as MessageContext;
  return new Promise((resolve, reject) => {
    let last: unknown;
    const ending = new AbortController();
    const end = (settle: () => void) => {
      ending.abort();
      settle();
    };
    const subscription = value.subscribe({
      next: (each) => {
        last = each;
      },
      error: (error) => end(() => reject(error)),
      complete: () => end(() => resolve(last)),
    });
    const give = () => {
      subscription.unsubscribe();
      reject(signal.reason);
    };
    if (ending.signal.aborted) return;
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true, signal: ending.signal });
  });
}
