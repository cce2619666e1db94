import type { HandlerTarget, Patterns, PayloadOf, PublishedTo } from '../src/consume/handlers/definition.js';
import type { BulkFunction, FailedFunction, HandlerFunction } from '../src/pipeline/handler.js';
import type { BodyOption } from '../src/serialization/body-option.js';
import { type Annotation, annotation } from './annotation.js';
import type { HandlesBulkOptions, HandlesOptions } from './metadata.js';
import type { Injected, Token } from './token.js';

/**
 * Decorator of a class with `handle()`, whose `failed(error, payload, context)`, if it has one, takes the
 * payload of one message; or of a method with the signature of `handle()`. It works under TypeScript's legacy
 * decorators and under standard ones.
 *
 * @typeParam Payload payload of one message
 * @typeParam Handle function that is called: with a payload and its context, or with lists of them
 * @typeParam Tokens tokens in `inject`, which the constructor must accept
 */
export interface HandlesDecorator<
  Payload,
  Handle extends HandlerFunction | BulkFunction = HandlerFunction<Payload>,
  Tokens extends readonly Token[] = readonly never[],
> {
  /** The call for a class. */
  <Instance extends { handle: Handle; failed?: FailedFunction<Payload> }>(
    target: new (...dependencies: Injected<Tokens>) => Instance,
    context?: ClassDecoratorContext,
  ): void;
  /** The call for a method, under standard decorators. */
  <Method extends Handle>(
    method: Method,
    context: ClassMethodDecoratorContext & { private: false; static: false },
  ): void;
  /** The call for a method, under TypeScript's legacy decorators. */
  <Method extends Handle>(
    target: object,
    method: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void;
}

/**
 * Binds a class (its `handle` method) or a single method to routing keys.
 *
 * Within one queue a message goes only to the handler of its exchange with the narrowest pattern: `github.#`
 * does not also receive what `github.issues.*` takes. Two handlers that must both receive a message belong to
 * two queues.
 *
 * @param patterns a pattern (`*` one word, `#` zero or more), a definition, or several of them
 * @throws OptionsError on a static or private method, on a field, on an accessor
 */
export function Handles<
  const Given extends Patterns,
  Body extends BodyOption = 'json',
  const Tokens extends readonly Token[] = readonly never[],
>(
  patterns: Given,
  options?: HandlesOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body; inject?: Tokens },
): HandlesDecorator<PayloadOf<Given, Body>, HandlerFunction<PayloadOf<Given, Body>>, Tokens>;
/** Binds a class or a method to routing keys, as a handler of many messages in one call. */
export function Handles<
  const Given extends Patterns,
  Body extends BodyOption = 'json',
  const Tokens extends readonly Token[] = readonly never[],
>(
  patterns: Given,
  options: HandlesBulkOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body; inject?: Tokens },
): HandlesDecorator<PayloadOf<Given, Body>, BulkFunction<PayloadOf<Given, Body>>, Tokens>;
export function Handles(...given: [Patterns, (HandlesOptions | HandlesBulkOptions)?]): Annotation {
  return handles(...given);
}

const handles = annotation(
  'Handles',
  (said, patterns: Patterns, options: HandlesOptions | HandlesBulkOptions = {}) => {
    const list = (Array.isArray(patterns) ? patterns : [patterns]) as readonly HandlerTarget[];
    said.handles.push({ patterns: list, options });
  },
);
