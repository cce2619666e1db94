import { TopicTrie } from '../../message/routing/topic.js';
import type { BindingPlan, ExchangePlan } from '../../topology/plan.js';
import type { Queue } from './queue.js';

export type Bound = Exchange | Queue;

/** Routing of one exchange type. {@link TopicTrie} implements it. */
interface Bindings {
  add(pattern: string, destination: Bound): void;
  match(routingKey: string): ReadonlySet<Bound>;
}

const nobody: ReadonlySet<Bound> = new Set();

class DirectBindings implements Bindings {
  private readonly byKey = new Map<string, Set<Bound>>();

  add(key: string, destination: Bound): void {
    const bound = this.byKey.get(key);
    if (bound) bound.add(destination);
    else this.byKey.set(key, new Set([destination]));
  }

  match(routingKey: string): ReadonlySet<Bound> {
    return this.byKey.get(routingKey) ?? nobody;
  }
}

class FanoutBindings implements Bindings {
  private readonly all = new Set<Bound>();

  add(_pattern: string, destination: Bound): void {
    this.all.add(destination);
  }

  match(): ReadonlySet<Bound> {
    return this.all;
  }
}

function bindingsOf({ type }: ExchangePlan): Bindings {
  switch (type) {
    case 'direct':
      return new DirectBindings();
    case 'fanout':
      return new FanoutBindings();
    default:
      return new TopicTrie<Bound>();
  }
}

export class Exchange {
  private bindings: Bindings;
  /** A repeated binding has no effect: every start of a service declares its bindings again. */
  private readonly known = new Map<string, { readonly pattern: string; readonly destination: Bound }>();

  constructor(readonly plan: ExchangePlan) {
    this.bindings = bindingsOf(plan);
  }

  bind(plan: BindingPlan, destination: Bound): void {
    const { pattern } = plan;
    const id = `${plan.destinationType}\0${plan.destination}\0${pattern}`;
    if (this.known.has(id)) return;
    this.known.set(id, { pattern, destination });
    this.bindings.add(pattern, destination);
  }

  /** Removes all bindings of a destination. This is rare, so the remaining ones are bound anew. */
  unbind(destination: Bound): void {
    this.bindings = bindingsOf(this.plan);
    for (const [id, bound] of this.known) {
      if (bound.destination === destination) this.known.delete(id);
      else this.bindings.add(bound.pattern, bound.destination);
    }
  }

  match(routingKey: string): ReadonlySet<Bound> {
    return this.bindings.match(routingKey);
  }
}
