import { oneOf } from '../../util/check.js';

export interface PublishesOption {
  /**
   * When messages leave that the handler publishes with its context or an injected `Publisher`: `now`, at the call; or `after`, once
   * its attempt has succeeded, confirmed before its message is acked. An attempt that fails has then published nothing, and
   * one that is made again publishes under the same ids. An attempt keeps 1,000 messages and 16 MiB of bodies at most. Has no effect with
   * `inbox`, whose messages leave with its transaction. @default the queue's `publishes`, else the bus's: `now`
   */
  publishes?: 'now' | 'after';
}

/** Settings of a handler whose attempts keep what they publish. It has no figures of its own. */
const AFTER = Object.freeze({ isAfter: true });

export const publishesOption = {
  check: oneOf('now', 'after'),
  settings: (when: 'now' | 'after') => (when === 'after' ? AFTER : undefined),
  problems: ({ options }: { readonly options: PublishesOption & { readonly inbox?: object } }): string[] =>
    options.publishes === 'now' && options.inbox !== undefined
      ? [
          "expected publishes to be 'after' or left out, since what a handler with an inbox publishes leaves with its transaction; got 'now'",
        ]
      : [],
};

/** What the settings of a handler are made of: an inbox has a way of its own, whatever its queue and its bus say. */
export function publishesOf(
  { publishes, inbox }: PublishesOption & { readonly inbox?: object },
  ofQueue: PublishesOption['publishes'],
  ofBus: PublishesOption['publishes'],
): PublishesOption {
  return { publishes: inbox === undefined ? (publishes ?? ofQueue ?? ofBus) : undefined } as PublishesOption;
}
