import { type UniqueOptions, uniqueOption as uniqueCheck, uniqueSettings } from '../../message/unique.js';

// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface UniqueOption<Input = any> {
  /**
   * Refuses a `send` of the same bus to this handler while another message with the same key waits or is
   * handled, over all processes that share the bus's `stores`. A `unique` option of the message's definition or
   * of the send takes precedence. @default off: every message is sent
   */
  unique?: UniqueOptions<Input>;
}

export const uniqueOption = {
  check: uniqueCheck,
  settings: (options: UniqueOptions) => uniqueSettings(options),
};
