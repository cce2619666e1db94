import type { RequestDefinition } from '../src/message/requests/define-request.js';
import { partReplying } from '../src/message/requests/replying-options.js';
import type { ReplyFunction } from '../src/pipeline/handler.js';
import { type Annotation, annotation } from './annotation.js';
import type { RepliesOptions } from './metadata.js';
import type { Injected, Token } from './token.js';

/**
 * Decorator of a class with `handle()`, or of a method with its signature: what it returns is the reply. It works under TypeScript's
 * legacy decorators and under standard ones.
 *
 * @typeParam Handle function that is called with the payload and its context, and returns the reply or a promise of it
 * @typeParam Tokens tokens in `inject`, which the constructor must accept
 */
export interface RepliesDecorator<
  Handle extends ReplyFunction<never>,
  Tokens extends readonly Token[] = readonly never[],
> {
  /** The call for a class. */
  <Instance extends { handle: Handle }>(
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
 * Makes a class (its `handle` method) or a single method the responder of a request: what it returns is the reply, checked by the
 * definition, and what it throws reaches the requester as a ResponderError with its code and message. A request is tried once, and
 * never dead-lettered. Requests wait in a queue of their own: that of the class, with `.requests` behind its name.
 *
 * @param request definition of the request, made by `defineRequest()`
 * @throws OptionsError on a static or private method, on a field, on an accessor
 */
export function Replies<Input, Output, ReplyInput, const Tokens extends readonly Token[] = readonly never[]>(
  request: RequestDefinition<string, Input, Output, ReplyInput>,
  options?: RepliesOptions<Output, Input> & { inject?: Tokens },
): RepliesDecorator<ReplyFunction<Output, ReplyInput>, Tokens>;
export function Replies(...given: [RequestDefinition, RepliesOptions?]): Annotation {
  return replies(...given);
}

const replies = annotation('Replies', (said, request: RequestDefinition, options: RepliesOptions = {}) => {
  const { replying, others } = partReplying(options);
  said.handles.push({ patterns: [request], options: others, answers: { request, ...replying } });
});
