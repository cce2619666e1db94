import type { MessageContext } from '../message/context.js';

/** Runs the rest of the pipeline: the next middleware, and finally the handler. */
export type MiddlewareNext = () => unknown;

/**
 * A function that wraps every handler of a bus. Its return value or error replaces the handler's: if it doesn't
 * call `next`, the handler is skipped and the message counts as handled. It runs within the handler's timeout.
 */
export type Middleware = (payload: unknown, context: MessageContext, next: MiddlewareNext) => unknown;
