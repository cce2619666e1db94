import type { MessageContext } from '../message/context.js';

/** Runs the rest of the pipeline: the next middleware, at last the handler. */
export type Next = () => unknown;

/**
 * Wraps every handler of a bus. What it returns or throws takes the place of the handler's: not calling `next` skips
 * the handler, and the message counts as handled. It runs within the handler's timeout.
 */
export type Middleware = (payload: unknown, context: MessageContext, next: Next) => unknown;

/** A handler's whole pipeline as one function. Built once at start; without middleware it is the handler itself. */
export function compose(
  middleware: readonly Middleware[],
  handle: (payload: unknown, context: MessageContext) => unknown,
): (payload: unknown, context: MessageContext) => unknown {
  return middleware.reduceRight<(payload: unknown, context: MessageContext) => unknown>(
    (next, wrap) => (payload, context) => wrap(payload, context, () => next(payload, context)),
    handle,
  );
}
