import type { Duration } from '../util/duration.js';

/** Options of {@link MessageContext.lock}. */
export interface LockOptions {
  /**
   * Time after which another may take the lock if this process dies, stands still, or can't reach its store: 100 ms to a day. While all is
   * well the lock is renewed by itself, four times in this time. @default '30s'
   */
  ttl?: Duration;
  /**
   * Time to wait for a lock that is held, a day at most; whoever asks next when it is given back has it. With 0 the call throws at once.
   * @default 0
   */
  wait?: Duration;
}

/** Lock that a handler holds: see {@link MessageContext.lock}. `await using` gives it back at the end of its block. */
export interface Lock extends AsyncDisposable {
  /** Number of this holder, higher than that of every holder before. Whatever it is written beside can refuse what an old holder does late. */
  readonly fence: number;
  /**
   * Signal that aborts when the lock is lost, before its time is over, or when the attempt ends that has not given it back. Its reason
   * is a {@link LockLostError}.
   */
  readonly signal: AbortSignal;
  /** Asks nobody: goes by this process's clock. @throws LockLostError if the lock is lost, or was given back */
  mustBeHeld(): void;
  /** Gives the lock back; nothing if that is done. @throws the error of the store if it is away: the lock then ends by itself */
  release(): Promise<void>;
}
