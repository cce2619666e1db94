import { isMessageDefinition } from '../../message/define-message.js';
import type { RequestDefinition } from '../../message/requests/define-request.js';
import { partReplying } from '../../message/requests/replying-options.js';
import type { BulkFunction, HandlerFunction, ReplyFunction } from '../../pipeline/handler.js';
import type { BusReplyOptions, HandleOptions, HandlerDefinition, HandlerTarget } from './definition.js';

/** What `bus.handle` is given, as a definition like those of classes. */
export function plainHandler(
  patterns: HandlerTarget | readonly HandlerTarget[],
  handle: HandlerFunction | BulkFunction,
  { queue, name, failed, ...options }: HandleOptions,
): HandlerDefinition {
  const list = (Array.isArray(patterns) ? patterns : [patterns]) as readonly HandlerTarget[];
  const first = list[0];
  return {
    name: name ?? (handle?.name || (isMessageDefinition(first) ? first.key : String(first))),
    patterns: list,
    queue: typeof queue === 'string' ? { name: queue } : (queue ?? {}),
    options,
    handle,
    ...(failed ? { failed } : {}),
  };
}

/** What `bus.reply` is given, as a definition like those of classes. */
export function plainResponder(
  request: RequestDefinition,
  handle: ReplyFunction,
  options: BusReplyOptions,
): HandlerDefinition {
  const { replying, others } = partReplying(options);
  return {
    ...plainHandler(request, handle, { name: handle?.name || request?.key, ...others }),
    answers: { request, ...replying },
  };
}
