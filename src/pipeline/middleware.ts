import type { MessageContext } from '../message/context.js';
import type { Check } from '../util/check.js';
import type { PublishMiddleware } from './publish-middleware.js';

/** Runs the rest of the handler's code: the next middleware, and finally the handler. */
export type MiddlewareNext = () => unknown;

/**
 * Function that wraps the code of handlers, within their timeout. Its return value or error replaces the handler's: if it does
 * not call `next`, the handler is skipped and the message counts as handled.
 */
export type HandleMiddleware = (payload: unknown, context: MessageContext, next: MiddlewareNext) => unknown;

/** Middleware by what it wraps: one object may wrap several of them. */
export interface MiddlewareObject extends Partial<PublishMiddleware> {
  /** Wraps the code of handlers: see {@link HandleMiddleware}. @default not wrapped */
  handle?(payload: unknown, context: MessageContext, next: MiddlewareNext): unknown;
}

/** Middleware of a bus or of a handler. A function is short for `{ handle }`. */
export type Middleware = MiddlewareObject | HandleMiddleware;

const KINDS = ['handle', 'publish'] as const satisfies readonly (keyof MiddlewareObject)[];

/** Accepts objects of any class, with fields of their own: no name but those of the kinds is looked at. */
const oneMiddleware: Check = {
  expected: `a function, or an object with at least one of the functions ${KINDS.join(', ')}`,
  accepts: (value) => {
    if (typeof value === 'function') return true;
    if (typeof value !== 'object' || value === null) return false;
    const wraps = KINDS.map((kind) => (value as Record<string, unknown>)[kind]).filter(
      (wrap) => wrap !== undefined,
    );
    return wraps.length > 0 && wraps.every((wrap) => typeof wrap === 'function');
  },
};

export const middlewareOption: Check = {
  expected: 'a list of middleware',
  accepts: (value) => Array.isArray(value) && value.every(oneMiddleware.accepts),
};

/** The option with its short forms written out. */
export function middlewareSettings(option: readonly Middleware[]): readonly MiddlewareObject[] {
  return option.map((each) => (typeof each === 'function' ? { handle: each } : each));
}
