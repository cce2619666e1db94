import type { Type } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { isHandlerClass } from '../../../decorators/handler-classes.js';

/** What Nest knows of a provider or a controller. */
export type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Module of Nest's container. */
export type Host = NonNullable<Wrapper['host']>;

/** A handler class, and the provider or controller that Nest has of it. */
export interface Found {
  readonly target: Type<object>;
  readonly wrapper: Wrapper;
  readonly host: Host;
}

/** Handler classes among all providers and controllers of the application. */
export function findHandlers(discovery: DiscoveryService): Found[] {
  return [...discovery.getProviders(), ...discovery.getControllers()].flatMap((wrapper) => {
    const { host } = wrapper;
    const target = handlerClassOf(wrapper);
    return target && host ? [{ target, wrapper, host }] : [];
  });
}

/** Undefined for a second name of a provider (`useExisting`), which is found by its own. */
function handlerClassOf(wrapper: Wrapper): Type<object> | undefined {
  if (wrapper.isAlias) return undefined;
  // The function of a factory is no class, and its instance is not there yet if it is made for each message.
  const own = wrapper.isNotMetatype ? undefined : wrapper.metatype;
  const candidates: unknown[] = [own, wrapper.instance?.constructor, wrapper.token];
  return candidates.find(isHandlerClass) as Type<object> | undefined;
}
