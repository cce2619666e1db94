import { type ContextId, ContextIdFactory, ModuleRef } from '@nestjs/core';
import type { MessageContext } from '../../message/context.js';
import type { Found } from './found.js';

/** An instance that a message is handled on. */
export interface Made {
  readonly instance: object;
  /** Undefined for the one that lives as long as the application. */
  readonly contextId: ContextId | undefined;
}

/** True if an instance is made for each message: the class, or something that it needs, is request-scoped. */
export const isPerMessage = ({ wrapper }: Found): boolean => !wrapper.isDependencyTreeStatic();

/** The instance that lives as long as the application; of a transient class, one of its own. */
export async function singletonOf(found: Found): Promise<Made> {
  const { wrapper } = found;
  const instance = wrapper.isTransient
    ? await moduleRefOf(found).resolve(wrapper.token, undefined, { strict: true })
    : wrapper.instance;
  return { instance, contextId: undefined };
}

/**
 * Makes the instance for a message, with all that is request-scoped below it. For these the message's context is the request: what
 * `REQUEST` injects, and what a strategy of durable providers is asked with.
 */
export async function instanceFor(found: Found, context: MessageContext): Promise<Made> {
  const { wrapper } = found;
  const moduleRef = moduleRefOf(found);
  const contextId = ContextIdFactory.getByRequest(context);
  // As Nest does for HTTP: below a durable class the request is what its strategy says, and the same for many messages.
  const request: unknown = wrapper.isDependencyTreeDurable() ? contextId.payload : context;
  moduleRef.registerRequestByContextId(request, contextId);
  const instance = await moduleRef.resolve<object>(wrapper.token, contextId, { strict: true });
  return { instance, contextId };
}

function moduleRefOf({ host }: Found): ModuleRef {
  return host.providers.get(ModuleRef)?.instance as ModuleRef;
}
