import type { BulkOption } from '../bulk/option.js';
import { type IdempotentOption, type IdempotentOptions, idempotentOption } from '../idempotent/option.js';

// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface InboxOption<Payload = any> {
  /**
   * Runs the handler in one database transaction (`context.transaction`). The handler's own statements, the
   * note that the message is handled, and the messages published with its context are committed together. Needs
   * `stores` with an inbox: `postgresStores()`. @default none
   */
  inbox?: IdempotentOptions<Payload>;
}

export const inboxOption = {
  ...idempotentOption,
  problems: (
    { options }: { readonly options: IdempotentOption & Partial<BulkOption> },
    { hasInbox }: { readonly hasInbox: boolean },
  ): string[] =>
    [
      !hasInbox && "expected the bus's stores to have an inbox, as postgresStores() of hopline/postgres has",
      options.idempotent !== undefined &&
        'expected either inbox or idempotent, got both: an inbox is idempotent',
      options.bulk !== undefined &&
        'expected either inbox or bulk, got both: a transaction belongs to one message',
    ].filter((problem) => problem !== false),
};
