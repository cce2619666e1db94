import { Handles } from '../../decorators/handles.js';
import type { HandlesOptions } from '../../decorators/metadata.js';
import type { Patterns, PayloadOf, PublishedTo } from '../consume/handlers/definition.js';
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
