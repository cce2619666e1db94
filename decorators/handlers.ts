import 'reflect-metadata';
import { type DependencyContainer, container as rootContainer } from 'tsyringe';
import type { HandlerDefinition } from '../src/consume/definition.js';
import { OptionsError } from '../src/errors.js';
import type { MessageContext } from '../src/message/context.js';
import { definitionsOf } from './definitions.js';
import { instancesFrom, instancesThrough } from './instances.js';
import type { Class } from './metadata.js';

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
