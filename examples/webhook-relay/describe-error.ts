import { HoplineError } from 'hopline';

/** An error as the user should read it: Hopline's own say what to do. */
export function describeError(error: unknown): string {
  if (error instanceof HoplineError) return `${error.message}. ${error.help}`;
  return error instanceof Error ? error.message : String(error);
}
