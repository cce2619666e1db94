import 'reflect-metadata';
import type { DependencyContainer } from 'tsyringe';
import { ContextOutsideMessageError, HandlerResolutionError } from '../src/errors.js';
import { MessageContext } from '../src/message/context.js';
import { Publisher } from '../src/message/publisher.js';
import { Requester } from '../src/message/requests/requester.js';
import { isA, reasonText } from '../src/util/text/error-text.js';
import { CURES, introduce } from './dependencies.js';
import type { Class, HandlerScope } from './metadata.js';
import { refuseUnregistered, withoutMembers } from './unregistered.js';

/** The source of the instances that handlers run on. */
export interface Instances {
  of(target: Class, scope: HandlerScope): Instance;
}

export interface Instance {
  /** Makes the instances that live as long as the bus. Called at `start()`. */
  prepare(bus: Requester): void | Promise<void>;
  /** Runs `use` on the instance for this message. */
  with(context: MessageContext, use: (instance: object) => unknown): unknown;
}

/** Makes an instance; the context is given only for `scope: 'message'`. */
type Make = (target: Class, context?: MessageContext) => object | Promise<object>;

/** A step of `start()` that precedes the first instance. */
type Prepare = (bus: Requester, target: Class) => void;

/** Instances that the application's `resolve` makes. */
export function instancesFrom(make: Make): Instances {
  return instances(make, () => {});
}

/** Instances that tsyringe makes. The container must be the caller's own: tokens are registered in it. */
export function instancesThrough(container: DependencyContainer): Instances {
  /** Classes that are registered in tsyringe, each with those of its dependencies that may be abstract. */
  const known = new WeakMap<Class, readonly Class[]>();
  const make: Make = (target, context) => {
    const within = context ? container.createChildContainer() : container;
    if (context) within.registerInstance(MessageContext as never, context);
    refuseUnregistered(within, known.get(target) ?? []);
    return resolveIn(within, target);
  };
  return instances(make, (bus, target) => {
    container.registerInstance(Publisher as never, bus);
    container.registerInstance(Requester as never, bus);
    if (!known.has(target)) known.set(target, withoutMembers(introduce(target, container)));
  });
}

function instances(make: Make, onPrepare: Prepare): Instances {
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

function singleton(target: Class, make: Make, onPrepare: Prepare): Instance {
  let instance: object | undefined;
  return {
    async prepare(bus) {
      onPrepare(bus, target);
      instance ??= await make(target);
    },
    with: (_context, use) => use(instance as object),
  };
}

function perMessage(target: Class, make: Make, onPrepare: Prepare): Instance {
  /**
   * The instance of each message: `failed()` runs on the instance that failed; after a transaction, whose
   * context is over, on a new one.
   */
  const made = new WeakMap<MessageContext, object>();
  return {
    prepare: (bus) => onPrepare(bus, target),
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

function resolveIn(container: DependencyContainer, target: Class): object {
  try {
    return container.resolve(target);
  } catch (error) {
    // tsyringe keeps only the text of the error that a dependency's constructor threw.
    const text = reasonText(error);
    if (isA(error, ContextOutsideMessageError) || text.includes(new ContextOutsideMessageError().message)) {
      throw new ContextOutsideMessageError(target.name);
    }
    throw new HandlerResolutionError(
      `class ${target.name} can't be built: ${text}`,
      `Register what is missing in the container. ${CURES}`,
      { cause: error },
    );
  }
}
