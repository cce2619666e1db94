import 'reflect-metadata';
import { type DependencyContainer, container as rootContainer } from 'tsyringe';
import type { HandlerDefinition } from '../src/consume/handlers/definition.js';
import { OptionsError } from '../src/errors.js';
import type { MessageContext } from '../src/message/context.js';
import { definitionsOf, type HandlingMethod, runningOn } from './definitions.js';
import { instancesFrom, instancesThrough } from './instances.js';
import type { Class } from './metadata.js';

/** Options of `handlers()`: the source of the handler classes' instances. */
export interface HandlersOptions {
  /**
   * The tsyringe container that resolves the classes. Give each bus of a process its own.
   *
   * @default tsyringe's global one
   */
  container?: DependencyContainer;
  /**
   * Makes the instance of a class, for another container or none. Called once per class at `start()`, without
   * a context; with `scope: 'message'` once per message, with its context.
   */
  resolve?: (target: Class, context?: MessageContext) => object | Promise<object>;
}

/**
 * Turns annotated classes into plain handler definitions for `new Bus({ handlers })`. The instances are made
 * when the bus starts, so a missing dependency is an error of `start()`.
 *
 * @throws OptionsError with all problems of all classes at once
 */
export function handlers(classes: readonly Class[], options: HandlersOptions = {}): HandlerDefinition[] {
  const { container = rootContainer, resolve } = options;
  const instances = resolve ? instancesFrom(resolve) : instancesThrough(container.createChildContainer());
  const problems: string[] = [];
  const run = (handling: HandlingMethod) => runningOn(instances, handling);
  const definitions = classes.flatMap((target) => definitionsOf(target, run, problems));
  if (problems.length > 0) throw new OptionsError('handlers', problems);
  return definitions;
}
