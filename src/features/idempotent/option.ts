import type { MessageContext } from '../../message/context.js';
import { callable, durationUpTo, objectWith } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

/** How a handler knows a message that it has handled before. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface IdempotentOptions<Payload = any> {
  /**
   * What makes two messages the same: an order's number, a payment's. Giving none (undefined, null, an empty text) is a failed
   * attempt. @default the message's id
   */
  by?: (payload: Payload, context: MessageContext) => string | number | bigint;
  /** How long it is remembered, up to 366 days. @default '7d' */
  keep?: Duration;
}

export interface IdempotentSettings {
  /** Undefined if it is the message's id. */
  readonly by: IdempotentOptions['by'];
  readonly keepMs: number;
}

export const idempotentOption = objectWith({ by: callable, keep: durationUpTo('366d') });

export function idempotentSettings({ by, keep = '7d' }: IdempotentOptions): IdempotentSettings {
  return { by, keepMs: toMs(keep) };
}
