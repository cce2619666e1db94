import type { Stores } from '../stores/stores.js';

/**
 * Stores as one process has them: what it holds there ends by itself when it is dead, though code of its handlers still runs and
 * would renew it.
 */
export function mortalStores(stores: Stores, isDead: () => boolean): Stores {
  const { leases, semaphores } = stores;
  return {
    ...stores,
    ...(leases && { leases: mortal(leases, isDead) }),
    ...(semaphores && { semaphores: mortal(semaphores, isDead) }),
  };
}

/** The same, whose calls are neither made nor answered once it is dead. */
function mortal<Port extends object>(port: Port, isDead: () => boolean): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...given: unknown[]) => (isDead() ? new Promise(() => {}) : method.apply(target, given));
    },
  });
}
