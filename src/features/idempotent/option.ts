import type { MessageContext } from '../../message/context.js';
import { callable, durationUpTo, objectWith } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface IdempotentOption<Payload = any> {
  /**
   * Skips messages that this handler has handled before, over all processes that share the bus's `stores`. `{}`
   * recognises a message by its id. @default off: every delivery is handled
   */
  idempotent?: IdempotentOptions<Payload>;
}

/** How a handler recognises a message that it has handled before. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface IdempotentOptions<Payload = any> {
  /**
   * Key of a message, such as the number of an order or a payment: messages with the same key are the same.
   * Returning no value (undefined, null, an empty string) is a failed attempt. @default the message's id
   */
  by?: (payload: Payload, context: MessageContext) => string | number | bigint;
  /** Time for which a handled message is remembered, up to 366 days. @default '7d' */
  keep?: Duration;
}

/** Settings of an idempotent handler, and of one with an inbox; without `by` the key is the message's id. */
export type IdempotentSettings = ReturnType<typeof idempotentOption.settings>;

export const idempotentOption = {
  check: objectWith({ by: callable, keep: durationUpTo('366d') }),
  settings: ({ by, keep = '7d' }: IdempotentOptions) => ({ by, keepMs: toMs(keep) }),
};
