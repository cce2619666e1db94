/**
 * What Hopline throws or rejects with. The class says what the caller can do about it, `code` is stable and made for
 * programs, `help` says what to do. No message holds a credential or a payload's values.
 */
export abstract class HoplineError extends Error {
  /** Stable across versions; what programs compare. */
  abstract readonly code: string;
  /** What to do about it, as a sentence. */
  readonly help: string;

  constructor(message: string, help: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.help = help;
  }
}
