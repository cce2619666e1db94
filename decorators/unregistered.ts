import type { DependencyContainer } from 'tsyringe';
import type { Class } from './metadata.js';

/**
 * Selects the classes whose instances have no method. An abstract class does not exist as such at run time,
 * so tsyringe builds it like any other, and each message fails on a method that is missing.
 */
export function withoutMembers(classes: readonly Class[]): Class[] {
  return classes.filter(({ prototype }) => !hasMembers(prototype));
}

/**
 * Has the container refuse an instance of these classes that has no members and was built because nothing was
 * registered. A registered instance is accepted as it is.
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

/** Tells whether an instance has members: its own, or inherited from its class. */
function hasMembers(instance: object): boolean {
  for (let at: object | null = instance; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    if (Reflect.ownKeys(at).some((key) => key !== 'constructor')) return true;
  return false;
}
