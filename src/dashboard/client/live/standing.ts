import type { KeepOrder } from '../../ui/row-order.js';

/** Time without a touch after which nobody is taken to read: then rows may go where they belong. */
const UNTOUCHED_MS = 60_000;

/** Rows stay where they are while somebody reads them, however their figures change; what is new comes where it belongs. */
export function keptOrder(now: () => number = () => performance.now()): {
  readonly keep: KeepOrder;
  touched(): void;
} {
  const orders = new Map<string, { readonly keys: readonly string[]; readonly sortedAt: number }>();
  let touchedAt = now();
  return {
    touched: () => {
      touchedAt = now();
    },
    keep: (table, keys) => {
      const before = orders.get(table);
      const isRead = before && now() - Math.max(touchedAt, before.sortedAt) < UNTOUCHED_MS;
      const order = isRead ? merged(before.keys, keys) : keys;
      orders.set(table, { keys: order, sortedAt: isRead ? before.sortedAt : now() });
      return order;
    },
  };
}

/** Those that are still there in their old order, each new one after the one that it follows in the new. */
export function merged(before: readonly string[], keys: readonly string[]): string[] {
  const wanted = new Set(keys);
  const old = new Set(before);
  const order = before.filter((key) => wanted.has(key));
  keys.forEach((key, at) => {
    if (old.has(key)) return;
    const follows = keys[at - 1];
    order.splice(follows === undefined ? 0 : order.indexOf(follows) + 1, 0, key);
  });
  return order;
}
