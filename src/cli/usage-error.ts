/** Wrong usage of the command: exit code 2, and nothing was done. */
export class UsageError extends Error {
  constructor(
    message: string,
    /** Remedy, as a sentence. */
    readonly help: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The user declined or interrupted: an exit code, and a line. */
export class Stopped extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}
