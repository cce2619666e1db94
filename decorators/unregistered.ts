import type { DependencyContainer } from 'tsyringe';
import type { Class } from './metadata.js';

/**
 * Classes that `target` needs, however deep, whose instances have no method: an abstract class has nothing left at run time,
 * so tsyringe builds it as any other, and what its handler calls is missing at each message.
 */
export function withoutMethods(target: Class): Class[] {
  const found = new Set<Class>();
  const seen = new Set<Class>();
  const look = (at: Class): void => {
    for (const dependency of dependenciesOf(at)) {
      if (seen.has(dependency)) continue;
      seen.add(dependency);
      if (!hasMembers(dependency.prototype)) found.add(dependency);
      look(dependency);
    }
  };
  look(target);
  return [...found];
}

/**
 * Has the container refuse an instance of these classes that has nothing at all and was built since nobody registered
 * anything. One that is registered is what its owner wants.
 */
export function refuseUnregistered(container: DependencyContainer, classes: readonly Class[]): void {
  for (const each of classes) {
    container.afterResolution(each as never, (_token, instance) => {
      if (container.isRegistered(each as never, true) || hasMembers(instance as object)) return;
      throw new Error(
        `nothing is registered for ${each.name}, and an instance of it has no method and no property (is it abstract?)`,
      );
    });
  }
}

/** By the types of its constructor's parameters, and the tokens that `@inject` names instead. */
function dependenciesOf(target: Class): Class[] {
  const types: unknown[] = Reflect.getMetadata('design:paramtypes', target) ?? [];
  const tokens: object = Reflect.getMetadata('injectionTokens', target) ?? {};
  return [...types, ...Object.values(tokens).map(tokenOf)].filter(
    (each): each is Class => typeof each === 'function',
  );
}

/** What `@inject` and its like keep is the token, or a description that holds it. */
function tokenOf(kept: unknown): unknown {
  return typeof kept === 'object' && kept !== null && 'token' in kept ? tokenOf(kept.token) : kept;
}

/** Whether there is anything on it, or on what it inherits from, that its own class has put there. */
function hasMembers(instance: object): boolean {
  for (let at: object | null = instance; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    if (Reflect.ownKeys(at).some((key) => key !== 'constructor')) return true;
  return false;
}
