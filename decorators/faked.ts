import 'reflect-metadata';
import { type DependencyContainer, type InjectionToken, container as rootContainer } from 'tsyringe';

/**
 * A child of `container` in which each token resolves to the value beside it. The container itself stays
 * unchanged.
 */
export function faked(
  fakes: readonly (readonly [token: unknown, fake: unknown])[],
  container: DependencyContainer = rootContainer,
): DependencyContainer {
  const child = container.createChildContainer();
  for (const [token, fake] of fakes) child.registerInstance(token as InjectionToken, fake);
  return child;
}
