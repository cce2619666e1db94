/**
 * Base class of all errors that Hopline throws. The class says what the caller can do, `code` is stable and
 * made for programs, `help` says what to do. No message holds a credential or a payload's values.
 */
export abstract class HoplineError extends Error {
  /** Stable across versions, for comparison in programs. */
  abstract readonly code: string;
  /** Advice for the reader, as a sentence. */
  readonly help: string;

  constructor(message: string, help: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.help = help;
  }
}
