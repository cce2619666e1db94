import { TopicTrie } from '../../../message/routing/topic.js';
import type { BindingPlan, ExchangePlan } from '../../../topology/plan.js';
import type { Queue } from '../queue.js';
import type { StoredMessage } from '../stored-message.js';
import type { Bindings, BoundBy } from './bindings.js';
import { HashBindings } from './hash-bindings.js';
import { HeaderBindings } from './header-bindings.js';

export type Bound = Exchange | Queue;

const nobody: ReadonlySet<Bound> = new Set();

class TopicBindings implements Bindings<Bound> {
  private readonly trie = new TopicTrie<Bound>();

  add({ pattern }: BoundBy, destination: Bound): void {
    this.trie.add(pattern, destination);
  }

  match({ routingKey }: StoredMessage): ReadonlySet<Bound> {
    return this.trie.match(routingKey);
  }
}

class DirectBindings implements Bindings<Bound> {
  private readonly byKey = new Map<string, Set<Bound>>();

  add({ pattern }: BoundBy, destination: Bound): void {
    const bound = this.byKey.get(pattern);
    if (bound) bound.add(destination);
    else this.byKey.set(pattern, new Set([destination]));
  }

  match({ routingKey }: StoredMessage): ReadonlySet<Bound> {
    return this.byKey.get(routingKey) ?? nobody;
  }
}

class FanoutBindings implements Bindings<Bound> {
  private readonly all = new Set<Bound>();

  add(_binding: BoundBy, destination: Bound): void {
    this.all.add(destination);
  }

  match(): ReadonlySet<Bound> {
    return this.all;
  }
}

/** Undefined for a type that a plugin brings, and that is not simulated. */
function bindingsOf({ type, arguments: its }: ExchangePlan): Bindings<Bound> | undefined {
  switch (type) {
    case 'topic':
      return new TopicBindings();
    case 'direct':
      return new DirectBindings();
    case 'fanout':
      return new FanoutBindings();
    case 'headers':
      return new HeaderBindings();
    case 'x-consistent-hash':
      return new HashBindings(its);
    default:
      return undefined;
  }
}

/** Exchange for messages that no binding takes; undefined if there is none. */
export function alternateOf({ alternateExchange, arguments: its }: ExchangePlan): string | undefined {
  const said = its?.['alternate-exchange'];
  return alternateExchange ?? (said === undefined ? undefined : String(said));
}

export class Exchange {
  private bindings: Bindings<Bound>;
  /** A repeated binding has no effect: every start of a service declares its bindings again. */
  private readonly known = new Map<string, { readonly by: BoundBy; readonly destination: Bound }>();

  private constructor(
    readonly plan: ExchangePlan,
    bindings: Bindings<Bound>,
  ) {
    this.bindings = bindings;
  }

  /** Undefined if there is no such type here. */
  static of(plan: ExchangePlan): Exchange | undefined {
    const bindings = bindingsOf(plan);
    return bindings && new Exchange(plan, bindings);
  }

  bind(plan: BindingPlan, destination: Bound): void {
    const id = JSON.stringify([plan.destinationType, plan.destination, plan.pattern, plan.arguments ?? {}]);
    if (this.known.has(id)) return;
    this.known.set(id, { by: plan, destination });
    this.bindings.add(plan, destination);
  }

  /** Removes all bindings of a destination. This is rare, so the remaining ones are bound anew. */
  unbind(destination: Bound): void {
    this.bindings = bindingsOf(this.plan) ?? this.bindings;
    for (const [id, bound] of this.known) {
      if (bound.destination === destination) this.known.delete(id);
      else this.bindings.add(bound.by, bound.destination);
    }
  }

  match(message: StoredMessage): ReadonlySet<Bound> {
    return this.bindings.match(message);
  }
}
