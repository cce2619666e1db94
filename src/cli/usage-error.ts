/** Called wrongly: exit code 2, and nothing was done. */
export class UsageError extends Error {
  constructor(
    message: string,
    /** What to do instead, as a sentence. */
    readonly help: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The person said no, or interrupted: exit code, and a line. */
export class Stopped extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}
