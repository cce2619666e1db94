import { handleRejection } from './handle-rejection.js';

/**
 * Function that is called with an event's data. If it throws or rejects, that is reported, and never rethrown
 * into the emitting code.
 */
export type Listener<T> = (event: T) => unknown;

/**
 * A typed, synchronous emitter. Unlike Node's EventEmitter, a listener that throws disturbs neither the
 * emitting code nor other listeners, an async listener that rejects doesn't end the process, and `has` lets a
 * hot path skip building an event without listeners.
 */
export class Emitter<Catalogue extends object> {
  private readonly listeners = new Map<keyof Catalogue, Listener<never>[]>();

  /** @param onListenerError must not throw */
  constructor(private readonly onListenerError: (name: keyof Catalogue, error: unknown) => void) {}

  /** Adds a listener; the returned function removes it. */
  on<Name extends keyof Catalogue>(name: Name, listener: Listener<Catalogue[Name]>): () => void {
    const list = this.listeners.get(name) ?? [];
    // A copy for every change, since emit() may be iterating over the old list. Wrapped, so that one function
    // added twice is two listeners, each with its own end.
    const own: Listener<Catalogue[Name]> = (event) => listener(event);
    this.listeners.set(name, [...list, own as Listener<never>]);
    return () => {
      const rest = (this.listeners.get(name) ?? []).filter((other) => other !== own);
      if (rest.length > 0) this.listeners.set(name, rest);
      else this.listeners.delete(name);
    };
  }

  has(name: keyof Catalogue): boolean {
    return this.listeners.has(name);
  }

  emit<Name extends keyof Catalogue>(name: Name, event: Catalogue[Name]): void {
    const list = this.listeners.get(name);
    if (!list) return;
    for (const listener of list) {
      try {
        const answer: unknown = (listener as Listener<Catalogue[Name]>)(event);
        if (answer !== undefined) handleRejection(answer, (error) => this.onListenerError(name, error));
      } catch (error) {
        this.onListenerError(name, error);
      }
    }
  }
}
