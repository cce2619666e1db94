import 'reflect-metadata';
import { type DependencyContainer, injectable } from 'tsyringe';
import { ContextOutsideMessageError, HandlerResolutionError } from '../src/errors.js';
import { MessageContext } from '../src/message/context.js';
import { Publisher } from '../src/message/publisher.js';
import { isA, reasonText } from '../src/util/error-text.js';
import type { Class, HandlerScope } from './metadata.js';
import { refuseUnregistered, withoutMethods } from './unregistered.js';

/** Where handlers get the instance that they run on. */
export interface Instances {
  of(target: Class, scope: HandlerScope): Instance;
}

export interface Instance {
  /** At `start()`: makes what lives as long as the bus. */
  prepare(publisher: Publisher): void | Promise<void>;
  /** Runs `use` on the instance for this message. */
  with(context: MessageContext, use: (instance: object) => unknown): unknown;
}

/** Makes an instance; a context is given only for `scope: 'message'`. */
type Make = (target: Class, context?: MessageContext) => object | Promise<object>;

/** Instances that a function of the user's makes. */
export function instancesFrom(make: Make): Instances {
  return instances(make, () => {});
}

/** Instances that tsyringe makes. The container must be the caller's own: tokens are registered in it. */
export function instancesThrough(container: DependencyContainer): Instances {
  /** Classes that were made known to tsyringe, with those of their dependencies that may be abstract. */
  const known = new WeakMap<Class, readonly Class[]>();
  const make: Make = (target, context) => {
    let suspects = known.get(target);
    if (!suspects) {
      checkMetadata(target);
      injectable()(target as never);
      suspects = withoutMethods(target);
      known.set(target, suspects);
    }
    const within = context ? container.createChildContainer() : container;
    if (context) within.registerInstance(MessageContext as never, context);
    refuseUnregistered(within, suspects);
    return resolveIn(within, target);
  };
  return instances(make, (publisher) => {
    container.registerInstance(Publisher as never, publisher);
  });
}

function instances(make: Make, onPrepare: (publisher: Publisher) => void): Instances {
  const singletons = new Map<Class, Instance>();
  return {
    of(target, scope) {
      if (scope === 'message') return perMessage(target, make, onPrepare);
      const known = singletons.get(target) ?? singleton(target, make, onPrepare);
      singletons.set(target, known);
      return known;
    },
  };
}

function singleton(target: Class, make: Make, onPrepare: (publisher: Publisher) => void): Instance {
  let instance: object | undefined;
  return {
    async prepare(publisher) {
      onPrepare(publisher);
      instance ??= await make(target);
    },
    with: (_context, use) => use(instance as object),
  };
}

function perMessage(target: Class, make: Make, onPrepare: (publisher: Publisher) => void): Instance {
  /** `failed()` runs on the instance that failed; after a transaction, whose context is over, on one of its own. */
  const made = new WeakMap<MessageContext, object>();
  return {
    prepare: onPrepare,
    with(context, use) {
      const known = made.get(context);
      if (known) return use(known);
      const making = make(target, context);
      const keep = (instance: object) => {
        made.set(context, instance);
        return use(instance);
      };
      return making instanceof Promise ? making.then(keep) : keep(making);
    },
  };
}

const CURES =
  'Put a class decorator on it (@Handles, @Queue, or injectable() of tsyringe), compile with experimentalDecorators and ' +
  'emitDecoratorMetadata (tsx and other esbuild-based runners drop the metadata), or name each dependency with @inject(token).';

/** Without metadata tsyringe would call the constructor with nothing. */
function checkMetadata(target: Class): void {
  // A class without a constructor of its own has 0, and is built as its base is.
  if (target.length === 0) return;
  const known =
    Reflect.getOwnMetadata('design:paramtypes', target) ?? Reflect.getOwnMetadata('injectionTokens', target);
  if (known) return;
  throw new HandlerResolutionError(
    `class ${target.name} takes ${target.length} constructor parameter${target.length > 1 ? 's' : ''}, but nothing says of which types: it has no parameter metadata`,
    CURES,
  );
}

function resolveIn(container: DependencyContainer, target: Class): object {
  try {
    return container.resolve(target);
  } catch (error) {
    // tsyringe keeps only the text of what a dependency's constructor threw.
    const text = reasonText(error);
    if (isA(error, ContextOutsideMessageError) || text.includes(new ContextOutsideMessageError().message)) {
      throw new ContextOutsideMessageError(target.name);
    }
    throw new HandlerResolutionError(
      `class ${target.name} can't be built: ${text}`,
      `Register what is missing in the container. ${CURES}`,
      {
        cause: error,
      },
    );
  }
}
