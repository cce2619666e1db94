import type { IndexedLetter } from '../../../failures/groups/group.js';
import type { DeadLetter } from '../../../failures/letters/dead-letter.js';
import type { MessageIds } from './model.js';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-/;

/** Ids of a message, of its letter if that was read, else as far as the index has them. */
export function idsOf(letter: DeadLetter | undefined, indexed: IndexedLetter | undefined): MessageIds {
  if (!letter)
    return {
      messageId: indexed?.messageId,
      correlationId: indexed?.correlationId,
      traceId: indexed?.traceId,
      chainId: indexed?.chainId,
      batchId: indexed?.batchId,
    };
  const { messageId, properties, headers, chain, batch } = letter;
  const { traceparent } = headers;
  return {
    messageId,
    correlationId: properties.correlationId,
    traceId: typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined,
    chainId: chain?.id,
    batchId: batch?.id,
  };
}
