import { oneOf } from '../../util/check.js';

export interface PublishesOption {
  /**
   * When messages leave that the handler publishes with its context or an injected `Publisher`: `now`, at the call; or `after`, once
   * its attempt has succeeded, confirmed before its message is acked. An attempt that fails has then published nothing, and
   * one that is made again publishes under the same ids. An attempt keeps 1,000 messages and 16 MiB of bodies at most. Has no effect with
   * `inbox`, whose messages leave with its transaction, nor with `resumable`, whose messages leave at the call. @default the queue's `publishes`, else the bus's: `now`
   */
  publishes?: 'now' | 'after';
}

/** Settings of a handler whose attempts keep what they publish. It has no figures of its own. */
const AFTER = Object.freeze({ isAfter: true });

export const publishesOption = {
  check: oneOf('now', 'after'),
  settings: (when: 'now' | 'after') => (when === 'after' ? AFTER : undefined),
  problems: ({ options }: { readonly options: PublishesOption & OwnWay }): string[] =>
    options.publishes === 'now' && options.inbox !== undefined
      ? [
          "expected publishes to be 'after' or left out, since what a handler with an inbox publishes leaves with its transaction; got 'now'",
        ]
      : [],
};

/** Options of handlers that are not asked when their messages leave. */
interface OwnWay {
  readonly inbox?: object;
  readonly resumable?: object | true;
}

/**
 * What the settings of a handler are made of. An inbox and a resumable handler have ways of their own, whatever their queue and their bus
 * say: with the transaction, and at the call.
 */
export function publishesOf(
  { publishes, inbox, resumable }: PublishesOption & OwnWay,
  ofQueue: PublishesOption['publishes'],
  ofBus: PublishesOption['publishes'],
): PublishesOption {
  const hasOwnWay = inbox !== undefined || resumable !== undefined;
  return { publishes: hasOwnWay ? undefined : (publishes ?? ofQueue ?? ofBus) } as PublishesOption;
}
