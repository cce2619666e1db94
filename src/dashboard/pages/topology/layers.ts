import type { TopologyBinding, TopologyExchange } from '../../site/reach.js';

/** Patterns by which one exchange leads to one destination: they are drawn as one. */
export interface Lead {
  readonly id: string;
  readonly exchange: string;
  readonly destination: string;
  readonly destinationKind: TopologyBinding['destinationKind'];
  readonly bindings: readonly TopologyBinding[];
}

export function leadsOf(bindings: readonly TopologyBinding[]): readonly Lead[] {
  const leads = new Map<string, TopologyBinding[]>();
  for (const binding of bindings) {
    const id = JSON.stringify([binding.exchange, binding.destinationKind, binding.destination]);
    leads.set(id, [...(leads.get(id) ?? []), binding]);
  }
  return [...leads].map(([id, its]) => {
    const [{ exchange, destination, destinationKind }] = its as [TopologyBinding];
    return { id, exchange, destination, destinationKind, bindings: its };
  });
}

/** Columns of exchanges; what is bound deeper, or in a circle, is in the last of them. */
const DEEPEST = 3;

/** How many exchanges, at most, a message has passed before it comes to each. */
export function depthsOf(
  exchanges: readonly TopologyExchange[],
  leads: readonly Lead[],
): ReadonlyMap<string, number> {
  const depths = new Map(exchanges.map(({ name }) => [name, 0]));
  for (let round = 0; round < DEEPEST; round += 1) {
    for (const { exchange, destination, destinationKind } of leads) {
      if (destinationKind !== 'exchange' || exchange === destination) continue;
      const depth = Math.min(DEEPEST, (depths.get(exchange) ?? 0) + 1);
      if (depth > (depths.get(destination) ?? 0)) depths.set(destination, depth);
    }
  }
  return depths;
}

/** The same order each time, in which queues of the same exchange are together, and lanes beside their queue. */
export function ordered<Queue extends { readonly queue: string }>(
  queues: readonly Queue[],
  leads: readonly Lead[],
): readonly Queue[] {
  const first = new Map<string, string>();
  for (const { exchange, destination, destinationKind } of leads) {
    const known = first.get(destination);
    if (destinationKind === 'queue' && (known === undefined || exchange < known))
      first.set(destination, exchange);
  }
  // A queue without a binding comes last: only the default exchange leads to it.
  const placeOf = ({ queue }: Queue) => `${first.get(queue) ?? '\uffff'}\n${queue}`;
  return [...queues].sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
}
