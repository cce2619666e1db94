import type { HandlerDefinition } from '../consume/handlers/definition.js';
import { isPlainObject } from '../util/check.js';

/** Handler definitions as `handlers()` returns them; lists may be nested. */
export type HandlerDefinitions = HandlerDefinition | readonly HandlerDefinitions[];

export function isHandlerTree(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isHandlerTree);
  return isPlainObject(value) && Array.isArray(value.patterns) && typeof value.handle === 'function';
}

export function flattened(tree: HandlerDefinitions): HandlerDefinition[] {
  return Array.isArray(tree) ? tree.flatMap(flattened) : [tree as HandlerDefinition];
}
