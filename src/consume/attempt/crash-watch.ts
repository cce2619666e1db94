import type { Received } from '../../pipeline/received.js';
import type { Work } from '../../pipeline/work.js';

/**
 * Watch over messages that may have killed their process; a worker of `hopline work` has one. It is asked before a
 * redelivered message begins, and about no other message: without a watch nothing is asked, and nothing waits.
 */
export interface CrashWatch {
  /** Adds a slot group to those that are kept still while a message runs alone in the process. */
  watch(slots: WatchedSlots): void;
  /** Resolves with the verdict; never rejects. {@link ended} must be called once the message has ended. */
  begins(received: Received): Promise<CrashVerdict>;
  ended(received: Received): void;
  /** Called when the process stops: messages that have not begun are returned, from now on at once. */
  stop(): void;
}

export type CrashVerdict =
  | { readonly kind: 'begin' }
  | { readonly kind: 'return' }
  /** The message is given up. `deaths` says how each process ended that ran it alone: `exit code 1`. */
  | { readonly kind: 'crashed'; readonly deaths: readonly string[] };

/** Slots of one group; its gate. */
export interface WatchedSlots {
  /** Messages that have begun and not ended, with those that the watch was asked about. */
  readonly running: number;
  /** While the slots are still, only messages begin that the watch is asked about. */
  setStill(isStill: boolean): void;
}

/**
 * True for work that a crash watch is asked about before it runs: a redelivered message whose outcome is still open. One that may run
 * elsewhere, under its lease, has killed nobody yet, and would keep the slots still for as long as it takes.
 */
export const asksFirst = ({ received, decided, match }: Work): boolean =>
  received.redelivered && decided === undefined && (received.crashes > 0 || !match?.handler.hasLease);
