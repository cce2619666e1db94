import type { Type } from '@nestjs/common';
import 'reflect-metadata';
import { pipesOfParameters } from './parameters.js';

/** Nest's records of what runs around a method, on its class and on itself; and the method by which an object is of the kind. */
const KINDS = [
  ['__guards__', 'canActivate'],
  ['__interceptors__', 'intercept'],
  ['__pipes__', 'transform'],
  ['__exceptionFilters__', 'catch'],
] as const;

/**
 * Classes of guards, interceptors, pipes and filters of a method that Nest has made nothing of, so that it would leave them out in
 * silence. It makes them for classes that a module lists, not for what a factory or a value provides.
 *
 * @param made what Nest has made in the module of the handler
 */
export function unmadeEnhancers(target: Type, name: string, made: ReadonlyMap<unknown, unknown>): Type[] {
  const unmade = new Set<Type>();
  const look = (declared: readonly unknown[] | undefined, kind: string) => {
    for (const each of declared ?? [])
      if (typeof each === 'function' && !made.has(each) && !(kind in each)) unmade.add(each as Type);
  };
  for (const [key, kind] of KINDS) {
    look(Reflect.getMetadata(key, target), kind);
    look(Reflect.getMetadata(key, target.prototype[name]), kind);
  }
  look(pipesOfParameters(target, name), 'transform');
  return [...unmade];
}
