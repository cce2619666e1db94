import { Handles } from '../../decorators/handles.js';
import type { HandlesOptions, RepliesOptions } from '../../decorators/metadata.js';
import { Replies } from '../../decorators/replies.js';
import type { Patterns, PayloadOf, PublishedTo } from '../consume/handlers/definition.js';
import type { RequestDefinition } from '../message/define-request.js';
import type { BodyOption } from '../serialization/body-option.js';

/**
 * `@Handles` for a method whose parameters have decorators, in whatever order: their types are not held to those of payload and context.
 *
 * @param patterns a pattern (`*` one word, `#` zero or more), a definition, or several of them
 */
export function HoplineHandler<const Given extends Patterns, Body extends BodyOption = 'json'>(
  patterns: Given,
  options?: HandlesOptions<PayloadOf<Given, Body>, PublishedTo<Given>> & { body?: Body },
): MethodDecorator {
  return Handles(patterns, options) as MethodDecorator;
}

/**
 * `@Replies` for a method whose parameters have decorators, in whatever order: their types are not held to those of payload and context,
 * nor what it returns to that of the reply, which is checked when it is sent.
 *
 * @param request definition of the request, made by `defineRequest()`
 */
export function HoplineResponder<Input, Output, ReplyInput>(
  request: RequestDefinition<string, Input, Output, ReplyInput>,
  options?: RepliesOptions<Output, Input>,
): MethodDecorator {
  return Replies(request, options) as unknown as MethodDecorator;
}
