import type { HandlingMethod, Running } from '../../../decorators/definitions.js';
import type { MessageContext } from '../../message/context.js';
import type { FailedFunction, HandlerFunction } from '../../pipeline/handler.js';
import { unmadeEnhancers } from '../calls/enhancers.js';
import { handlerCall } from '../calls/handler-call.js';
import type { Method, NestParts } from '../calls/nest-parts.js';
import type { Found } from './found.js';
import { instanceFor, isPerMessage, type Made, singletonOf } from './instances.js';

type Methods = Readonly<Record<string, Method>> & { readonly failed?: FailedFunction };

/** The instance that a message is handled on, and the call of its method. */
interface Ready {
  readonly instance: Methods;
  readonly call: HandlerFunction;
}

/**
 * Builds the functions that run a method of a class on the instances that Nest makes. `failed()` is no entry point: it is called without
 * guards and the like, on the instance that has failed.
 *
 * @param problems receives what can't be run, as sentences
 */
export function runningInNest(
  found: Found,
  { target, method, scope, isBulk, injects }: HandlingMethod,
  parts: NestParts,
  problems: string[],
): Running {
  const perMessage = isPerMessage(found);
  const name = String(method);
  const where = `${target.name}.${name}`;
  if (typeof method === 'symbol') problems.push(`${where}: Nest knows methods by names, not by symbols`);
  if (scope === 'message')
    problems.push(
      `${where} has scope 'message': in Nest it is @Injectable({ scope: Scope.REQUEST }) of ${target.name}`,
    );
  if (injects)
    problems.push(
      `${where} has the option inject: in Nest the constructor of ${target.name} says what it takes, by types or @Inject()`,
    );
  for (const { name: unmade } of unmadeEnhancers(target, name, found.host.injectables))
    problems.push(
      `${where} would run without ${unmade}: Nest makes guards, interceptors, pipes and filters for classes that a module lists, not for what a factory or a value provides. List ${target.name} itself among the providers, or give an instance in place of the class ${unmade}`,
    );
  if (perMessage && isBulk)
    problems.push(
      `${where} has the option bulk, and ${target.name} or what it needs is request-scoped: one instance can't belong to many messages`,
    );
  const readyOf = ({ instance, contextId }: Made): Ready => {
    const methods = instance as Methods;
    const place = [instance, methods[name] as Method, found.host.token, contextId, found.wrapper.id] as const;
    return { instance: methods, call: handlerCall(parts, found.target, name, place) };
  };
  const running = perMessage ? perMessageRunning(found, readyOf) : singletonRunning(found, readyOf);
  const { failed, ...handling } = running;
  return typeof target.prototype.failed === 'function' ? { ...handling, failed } : handling;
}

interface Whole extends Pick<Running, 'prepare'> {
  readonly handle: HandlerFunction;
  readonly failed: FailedFunction;
}

function singletonRunning(found: Found, readyOf: (made: Made) => Ready): Whole {
  let ready: Ready | undefined;
  return {
    async prepare() {
      ready ??= readyOf(await singletonOf(found));
    },
    handle: (payload, context) => (ready as Ready).call(payload, context),
    failed: (error, payload, context) => ready?.instance.failed?.(error, payload, context),
  };
}

function perMessageRunning(found: Found, readyOf: (made: Made) => Ready): Whole {
  /** Of each message: `failed()` runs on the instance that failed; after a transaction, whose context is over, on a new one. */
  const known = new WeakMap<MessageContext, Promise<Ready>>();
  const readyFor = (context: MessageContext): Promise<Ready> => {
    const ready = known.get(context) ?? instanceFor(found, context).then(readyOf);
    known.set(context, ready);
    return ready;
  };
  return {
    async handle(payload, context) {
      const { call } = await readyFor(context);
      return call(payload, context);
    },
    async failed(error, payload, context) {
      // An instance that could not be made has failed the attempt: that is told already.
      const ready = await (known.get(context)?.catch(() => undefined) ?? readyFor(context));
      return ready?.instance.failed?.(error, payload, context);
    },
  };
}
