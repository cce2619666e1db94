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

/** Columns of exchanges; what is bound deeper is in the last of them. */
const DEEPEST = 3;

/** How many exchanges, at most, a message has passed before it comes to each. In a circle, the last binding leads back. */
export function depthsOf(
  exchanges: readonly TopologyExchange[],
  leads: readonly Lead[],
): ReadonlyMap<string, number> {
  const between = leads.filter(({ destinationKind }) => destinationKind === 'exchange');
  const targets = new Set(between.map(({ destination }) => destination));
  const names = exchanges.map(({ name }) => name).sort();
  const depths = new Map<string, number>();
  const visit = (name: string, depth: number, passed: ReadonlySet<string>): void => {
    if (passed.has(name) || depth <= (depths.get(name) ?? -1)) return;
    depths.set(name, depth);
    if (depth === DEEPEST) return;
    for (const { exchange, destination } of between)
      if (exchange === name) visit(destination, depth + 1, new Set([...passed, name]));
  };
  // Those that no other leads to come first; what is left then is in circles, which begin somewhere.
  for (const name of names.filter((each) => !targets.has(each))) visit(name, 0, new Set());
  for (const name of names) if (!depths.has(name)) visit(name, 0, new Set());
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
