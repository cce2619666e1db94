import type { Class } from '../../decorators/index.js';
import { isMessageDefinition, type MessageDefinition } from '../message/define-message.js';
import { topicMatches } from '../message/routing/topic.js';

/** Selection of messages: a handler class, the name of a handler, a pattern of routing keys, or a definition. */
export type Whose = Class | string | MessageDefinition;

/** True if the selection has a message with this routing key, of this handler. */
export function selects(whose: Whose, routingKey: string, handler: string | undefined): boolean {
  if (typeof whose === 'function')
    return handler === whose.name || handler?.startsWith(`${whose.name}.`) === true;
  if (isMessageDefinition(whose)) return topicMatches(whose.key, routingKey);
  return handler === whose || topicMatches(whose, routingKey);
}

/** The selection as a text for the message of a failed assertion. */
export function nameOf(whose: Whose | undefined): string {
  if (whose === undefined) return 'a message';
  if (typeof whose === 'function') return `a message of ${whose.name}`;
  return `'${isMessageDefinition(whose) ? whose.key : whose}'`;
}
