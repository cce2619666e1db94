import type { BindingPlan } from '../../topology/plan.js';
import type { ManagedBinding } from './managed.js';

/** What makes a binding the same as another one: the broker keeps one of each. */
export const bindingIdentity = ({
  source,
  destination,
  destinationType,
  pattern,
  arguments: its = {},
}: BindingPlan | ManagedBinding): string =>
  JSON.stringify([
    source,
    destination,
    destinationType,
    pattern,
    Object.entries(its).sort(([left], [right]) => (left < right ? -1 : 1)),
  ]);
