import type { MessageContext } from '../message/context.js';
import type { Published } from '../message/published.js';
import type { Check } from '../util/check.js';
import type { ConsumeMiddleware } from './consume-middleware.js';
import type { PublishNext, PublishRequest } from './publish-middleware.js';

/** Runs the rest of the handler's code: the next middleware, and finally the handler. */
export type MiddlewareNext = () => unknown;

/**
 * Function that wraps the code of handlers, within their timeout. Its return value or error replaces the handler's: if it does
 * not call `next`, the handler is skipped and the message counts as handled.
 */
export type HandleMiddleware = (payload: unknown, context: MessageContext, next: MiddlewareNext) => unknown;

/** Middleware by what it wraps: one object may wrap several of them. */
export interface MiddlewareObject extends Partial<ConsumeMiddleware> {
  /** Wraps the code of handlers: see {@link HandleMiddleware}. @default not wrapped */
  handle?(payload: unknown, context: MessageContext, next: MiddlewareNext): unknown;
  /**
   * Wraps the publish of each payload, within the call and before its schema: of a bus or an outbox, alone, in a pack, as a step of a
   * chain or as a job of a batch. What it returns or throws is the call's: if it throws before `next()`, nothing is sent; after that the
   * message is published all the same. It may return a result of its own without calling `next()`: nothing is sent then. Retries, dead
   * letters, the next steps of a chain and the notifications of a batch are no publishes of a call, and don't pass it. @default not wrapped
   */
  publish?(message: PublishRequest, next: PublishNext): Promise<Published>;
}

/** Middleware of a bus or of a handler. A function is short for `{ handle }`. */
export type Middleware = MiddlewareObject | HandleMiddleware;

const KINDS = ['consume', 'handle', 'publish'] as const satisfies readonly (keyof MiddlewareObject)[];

/** What a bus's may be, too, and a handler's may not: see `TracingMiddleware`, which is no type of users. */
const TRACING = 'tracing';

/** Accepts objects of any class, with fields of their own: no name but those of the kinds is looked at. */
const isMiddleware = (value: unknown, kinds: readonly string[]): boolean => {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  const wraps = kinds
    .map((kind) => (value as Record<string, unknown>)[kind])
    .filter((wrap) => wrap !== undefined);
  return wraps.length > 0 && wraps.every((wrap) => typeof wrap === 'function');
};

const expected = `a function, or an object with at least one of the functions ${KINDS.join(', ')}`;

const listOf = (each: Check): Check => ({ expected: 'a list of middleware', accepts: Array.isArray, each });

/** Of a bus. */
export const middlewareOption: Check = listOf({
  expected,
  accepts: (value) => isMiddleware(value, [...KINDS, TRACING]),
});

/** Of a handler. */
export const handlerMiddlewareOption: Check = listOf({
  expected: `${expected}; a tracer, as otel(), is for a bus`,
  accepts: (value) => isMiddleware(value, KINDS) && !(TRACING in (value as object)),
});

/** The option with its short forms written out. */
export function middlewareSettings(option: readonly Middleware[]): readonly MiddlewareObject[] {
  return option.map((each) => (typeof each === 'function' ? { handle: each } : each));
}
