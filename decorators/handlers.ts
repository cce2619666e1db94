import 'reflect-metadata';
import { type DependencyContainer, container as rootContainer } from 'tsyringe';
import type { HandlerDefinition, HandlerFunction, HandlerOptions } from '../src/consume/definition.js';
import { OptionsError } from '../src/errors.js';
import type { MessageContext } from '../src/message/context.js';
import { show } from '../src/util/check.js';
import { type Instances, instancesFrom, instancesThrough } from './instances.js';
import type { Annotations, Class } from './metadata.js';
import { annotationsOf } from './metadata.js';

/** Where the instances of handler classes come from. */
export interface HandlersOptions {
  /** tsyringe container to resolve them in. Give each bus of a process its own. @default tsyringe's global one */
  container?: DependencyContainer;
  /**
   * Another container, or none: makes the instance of a class. Called once a class at `start()`, without a context; with
   * `scope: 'message'` once a message, with its context.
   */
  resolve?: (target: Class, context?: MessageContext) => object | Promise<object>;
}

/**
 * Turns annotated classes into plain handler definitions for `new Bus({ handlers })`. Instances are made when the bus
 * starts, so that a missing dependency shows then.
 *
 * @throws OptionsError with all problems of all classes at once
 */
export function handlers(classes: readonly Class[], options: HandlersOptions = {}): HandlerDefinition[] {
  const { container = rootContainer, resolve } = options;
  const instances = resolve ? instancesFrom(resolve) : instancesThrough(container.createChildContainer());
  const problems: string[] = [];
  const definitions = classes.flatMap((target) => definitionsOf(target, instances, problems));
  if (problems.length > 0) throw new OptionsError('handlers', problems);
  return definitions;
}

const SCOPES: readonly unknown[] = [undefined, 'singleton', 'message'];

type Handling = Record<string | symbol, (payload: unknown, context: MessageContext) => unknown>;

interface Handled {
  readonly method: string | symbol;
  readonly name: string;
  readonly annotations: Annotations;
}

function definitionsOf(target: Class, instances: Instances, problems: string[]): HandlerDefinition[] {
  if (typeof target !== 'function') {
    problems.push(`expected a class, got ${show(target)}`);
    return [];
  }
  const said = annotationsOf(target);
  const all: Handled[] = [...said.methods].map(([method, annotations]) => ({
    method,
    name: `${target.name}.${String(method)}`,
    annotations,
  }));
  if (said.handles.length > 0) {
    all.unshift({ method: 'handle', name: target.name, annotations: { handles: said.handles } });
    if (typeof target.prototype.handle !== 'function')
      problems.push(`class ${target.name} is annotated with @Handles but has no handle() method`);
  }
  const handled = all.filter(({ annotations }) => annotations.handles.length > 0);
  if (handled.length === 0)
    problems.push(
      `class ${target.name} handles nothing: annotate it, or a method of it, with @Handles(pattern)`,
    );
  for (const { name, annotations } of handled)
    for (const { options } of annotations.handles)
      if (!SCOPES.includes(options.scope))
        problems.push(
          `expected the scope of ${name} to be 'singleton' or 'message', got ${show(options.scope)}`,
        );
      else if (options.scope === 'message' && options.batch !== undefined)
        problems.push(`${name} has scope 'message' and a batch: one instance can't belong to many messages`);
  for (const { name } of all.filter((each) => !handled.includes(each)))
    problems.push(
      `${name} has @Retry, @Timeout, @RateLimit, @CircuitBreaker, @Idempotent, @Inbox, @Unique or @Encrypted but no @Handles`,
    );
  return handled.flatMap(({ method, name, annotations }) =>
    annotations.handles.map(
      ({ patterns, options: { scope = 'singleton', ...options } }): HandlerDefinition => {
        const instance = instances.of(target, scope);
        // Of a batch these are lists, and the instance is nobody's own.
        const handle: HandlerFunction = (payload, context) =>
          instance.with(context, (it) => (it as Handling)[method]?.(payload, context));
        return {
          name,
          patterns,
          queue: { ...said.queue, ownName: target.name },
          options: {
            ...options,
            retry: { ...said.retry, ...annotations.retry, ...options.retry },
            ...said.timeout,
            ...annotations.timeout,
            ...wholeOptions(options, annotations, said),
          },
          prepare: instance.prepare,
          handle,
          ...failedOf(target, instance),
        };
      },
    ),
  );
}

/** Options that are said whole: by @Handles, or else by a decorator of the method, or else by one of its class. */
const WHOLE = ['rateLimit', 'circuitBreaker', 'idempotent', 'inbox', 'unique', 'encrypted'] as const;

type WholeOptions = Pick<HandlerOptions, (typeof WHOLE)[number]>;

function wholeOptions(...said: readonly WholeOptions[]): WholeOptions {
  const options = WHOLE.map((name) => [name, said.find((each) => each[name])?.[name]] as const);
  return Object.fromEntries(options.filter(([, option]) => option !== undefined));
}

/** `failed()` of a class serves all its methods. */
function failedOf(target: Class, instance: ReturnType<Instances['of']>): Pick<HandlerDefinition, 'failed'> {
  if (typeof target.prototype.failed !== 'function') return {};
  return {
    failed: (error, payload, context) =>
      instance.with(context, (it) =>
        (it as { failed(...args: unknown[]): unknown }).failed(error, payload, context),
      ),
  };
}
