import { annotationsOf, type Class } from './metadata.js';

/** Tells whether a value is a class that handles messages: it, a base of it or a method of these has `@Handles` or `@Replies`. */
export function isHandlerClass(value: unknown): value is Class {
  if (typeof value !== 'function') return false;
  const { handles, methods } = annotationsOf(value as Class);
  return handles.length > 0 || [...methods.values()].some((method) => method.handles.length > 0);
}

/**
 * Handler classes among the values of an object, each once: of `await import('./handlers.js')`, or of a container's registrations. For
 * `handlers(handlerClassesOf(all))`.
 */
export function handlerClassesOf(values: object): Class[] {
  return [...new Set(Object.values(values).filter(isHandlerClass))];
}
