import type {
  FailedFunction,
  PatternOrDefinition,
  Patterns,
  PayloadOf,
  PublishedTo,
} from '../src/consume/definition.js';
import type { MessageContext } from '../src/message/context.js';
import { annotationsAt, type HandlesBatchOptions, type HandlesOptions } from './metadata.js';

type Handle<Payload> = (payload: Payload, context: MessageContext) => unknown;

/**
 * Fits a class with `handle(payload, context)`, whose `failed(error, payload, context)`, if it has one, takes the same payload; or a
 * method that takes the two.
 */
export interface HandlesDecorator<Payload> {
  <Instance extends { handle: Handle<Payload>; failed?: FailedFunction<Payload> }>(
    target: new (...dependencies: never[]) => Instance,
  ): void;
  <Method extends Handle<Payload>>(
    target: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

type HandleBatch<Payload> = (payloads: Payload[], contexts: MessageContext[]) => unknown;

/** The same with `handle(payloads, contexts)`; `failed` is told of each message by itself. */
export interface HandlesBatchDecorator<Payload> {
  <Instance extends { handle: HandleBatch<Payload>; failed?: FailedFunction<Payload> }>(
    target: new (...dependencies: never[]) => Instance,
  ): void;
  <Method extends HandleBatch<Payload>>(
    target: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

/**
 * Binds a class (its `handle` method) or a single method to routing keys.
 *
 * In one queue a message goes to the handler of its exchange with the narrowest pattern only: `github.#` does not also see what
 * `github.issues.*` takes. Handlers that must both see it belong to two queues.
 *
 * @param patterns a pattern (`*` one word, `#` zero or more), a definition, or several of them
 */
export function Handles<const Given extends Patterns>(
  patterns: Given,
  options?: HandlesOptions<PayloadOf<Given>, PublishedTo<Given>>,
): HandlesDecorator<PayloadOf<Given>>;
/** The same, for many messages in one call. */
export function Handles<const Given extends Patterns>(
  patterns: Given,
  options: HandlesBatchOptions<PayloadOf<Given>, PublishedTo<Given>>,
): HandlesBatchDecorator<PayloadOf<Given>>;
export function Handles(patterns: Patterns, options: HandlesOptions | HandlesBatchOptions = {}) {
  const list = (Array.isArray(patterns) ? patterns : [patterns]) as readonly PatternOrDefinition[];
  return (target: object, method?: string | symbol) => {
    const annotations = method === undefined ? annotationsAt(target) : annotationsAt(target, method);
    annotations.handles.push({ patterns: list, options });
  };
}
