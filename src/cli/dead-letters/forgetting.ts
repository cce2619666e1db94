import type { DeadLetterFilter } from '../../failures/filter.js';
import type { Terminal } from '../output/terminal.js';
import { lettersText } from '../output/text.js';
import { runActing } from './acting.js';
import { confirm } from './confirm.js';
import type { Desk } from './desk.js';
import { exactly, reasonsText } from './filters.js';

export interface ForgetFlags {
  readonly yes?: boolean;
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean;
}

/**
 * Deletes for good what a filter leaves, after asking; returns the exit code.
 *
 * @param which half a sentence about them: `that failed before …`; '' for none
 * @param done what has become of them: `forgotten`
 */
export async function forgetThese(
  { failures, target }: Desk,
  terminal: Terminal,
  filter: DeadLetterFilter,
  { yes, dryRun }: ForgetFlags,
  { which, done }: { readonly which: string; readonly done: string },
): Promise<number> {
  const letters = await failures.list(filter);
  const about = which && ` ${which}`;
  if (letters.length === 0) {
    terminal.print(`0 dead letters${about}: nothing to delete`);
    return 0;
  }
  const what = `${lettersText(letters.length)}${about} (${reasonsText(letters)})`;
  const where = `for good, on ${target.broker.name}`;
  if (dryRun) {
    terminal.print(`${what} would be deleted ${where}`);
    return 0;
  }
  await confirm(`${what} will be deleted ${where}`, terminal, yes);
  // Not whatever the filter leaves by now: what came after the question was never agreed to.
  return runActing(terminal, letters.length, done, (hooks) =>
    failures.forget(exactly(letters, filter), hooks),
  );
}
