import type { DependencyContainer } from 'tsyringe';
import type { Class } from './metadata.js';

/**
 * Those of the classes whose instances have no method: an abstract class has nothing left at run time, so tsyringe builds it as
 * any other, and what its handler calls is missing at each message.
 */
export function withoutMembers(classes: readonly Class[]): Class[] {
  return classes.filter(({ prototype }) => !hasMembers(prototype));
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

/** Whether there is anything on it, or on what it inherits from, that its own class has put there. */
function hasMembers(instance: object): boolean {
  for (let at: object | null = instance; at && at !== Object.prototype; at = Object.getPrototypeOf(at))
    if (Reflect.ownKeys(at).some((key) => key !== 'constructor')) return true;
  return false;
}
