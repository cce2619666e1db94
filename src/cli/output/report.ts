import { HoplineError, OptionsError } from '../../errors.js';
import { Stopped, UsageError } from '../usage-error.js';
import type { Terminal } from './terminal.js';
import { printable } from './text.js';
import { withoutCredentials } from './without-credentials.js';

/** Prints an error in one line, with its remedy, and returns the exit code. */
export function report(error: unknown, terminal: Terminal, verbose: boolean): number {
  if (error instanceof Stopped) {
    terminal.tell(error.message);
    return error.exitCode;
  }
  const { message, help } = said(error);
  const end = message.endsWith('?') ? '' : '.';
  terminal.tell(`error: ${printable(withoutCredentials(message))}${help ? `${end} ${help}` : ''}`);
  if (verbose || terminal.env.DEBUG) terminal.tell(withoutCredentials(stackOf(error)));
  return error instanceof UsageError || error instanceof OptionsError ? 2 : 1;
}

function said(error: unknown): { message: string; help?: string } {
  if (error instanceof UsageError || error instanceof HoplineError)
    return { message: error.message.replaceAll(/\n\s*(- )?/g, ' · '), help: error.help };
  const { message, code } = error as { message?: string; code?: string };
  return { message: message || code || String(error) };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack}${cause}`;
}
