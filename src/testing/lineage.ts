import { AsyncLocalStorage } from 'node:async_hooks';

/** One for all kits: each AsyncLocalStorage that was ever used costs every promise of the process a little. */
const current = new AsyncLocalStorage<Cause>();

/** A run of a handler, as the cause of what it publishes. */
export interface Cause {
  /** Lineage of the kit in which it ran. */
  readonly lineage: Lineage;
  readonly handler: string;
  readonly routingKey: string;
  /** A moment of the clock's `monotonic`. */
  readonly instant: number;
  /** Number of handlings that led here without time passing, this one included. */
  readonly depth: number;
  /** The previous handling, if it was at the same instant. */
  readonly before: Cause | undefined;
}

/** Tracks which handling published which message: for the publisher in entries, and for cascades that don't end. */
export class Lineage {
  private readonly causes = new Map<string, Cause>();

  /** The current handling. */
  get cause(): Cause | undefined {
    const cause = current.getStore();
    return cause?.lineage === this ? cause : undefined;
  }

  /** Records that `cause` has published this message. */
  published(messageId: string | undefined, cause: Cause | undefined): void {
    if (messageId !== undefined && cause) this.causes.set(messageId, cause);
  }

  /** Describes the handling of a message at `instant`. */
  handling(handler: string, routingKey: string, messageId: string | undefined, instant: number): Cause {
    const earlier = messageId === undefined ? undefined : this.causes.get(messageId);
    const before = earlier?.instant === instant ? earlier : undefined;
    return { lineage: this, handler, routingKey, instant, depth: (before?.depth ?? 0) + 1, before };
  }

  run<T>(cause: Cause, code: () => T): T {
    return current.run(cause, code);
  }
}

/** The last handlings that led to `cause`, as `a → b → a`. */
export function chain(cause: Cause, length = 6): string {
  const keys: string[] = [];
  for (let at: Cause | undefined = cause; at && keys.length < length; at = at.before)
    keys.unshift(at.routingKey);
  return `… ${keys.join(' → ')}`;
}
