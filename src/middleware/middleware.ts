import type { MessageContext } from '../message/context.js';

/** Runs the rest of the pipeline: the next middleware, at last the handler. */
export type Next = () => unknown;

/**
 * Wraps every handler of a bus. What it returns or throws takes the place of the handler's: not calling `next` skips
 * the handler, and the message counts as handled. It runs within the handler's timeout.
 */
export type Middleware = (payload: unknown, context: MessageContext, next: Next) => unknown;
