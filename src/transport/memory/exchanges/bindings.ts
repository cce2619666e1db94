import type { BindingPlan } from '../../../topology/plan.js';
import type { StoredMessage } from '../stored-message.js';

/** A binding as its exchange sees it. */
export type BoundBy = Pick<BindingPlan, 'destination' | 'pattern' | 'arguments'>;

/** Routing of one exchange type. */
export interface Bindings<Bound> {
  add(binding: BoundBy, destination: Bound): void;
  match(message: StoredMessage): ReadonlySet<Bound>;
}
