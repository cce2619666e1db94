import type { DeadLetterFilter } from '../../failures/filter.js';
import { lettersText } from '../../failures/letters/letters-text.js';
import type { Terminal } from '../output/terminal.js';
import { runActing } from './acting.js';
import { confirm } from './confirm.js';
import type { DeadLetterSession } from './dead-letter-session.js';
import { exactly, reasonsText } from './filters.js';
import { whoAmI } from './run-operation.js';

export interface ForgetFlags {
  readonly yes?: boolean;
  /** Prints the action without performing it. */
  readonly dryRun?: boolean;
  /** Moves them into the trash instead. */
  readonly trash?: boolean;
}

/**
 * Deletes the letters that a filter selects, for good or into the trash, after asking; returns the exit code.
 *
 * @param which half a sentence about the letters: `that failed before …`; '' for none
 * @param done the letters' new state, for the summary: `forgotten`
 */
export async function forgetLetters(
  { failures, target }: DeadLetterSession,
  terminal: Terminal,
  filter: DeadLetterFilter,
  { yes, dryRun, trash }: ForgetFlags,
  { which, done }: { readonly which: string; readonly done: string },
): Promise<number> {
  const letters = await (dryRun ? failures.list(filter) : failures.listFree(filter));
  const about = which && ` ${which}`;
  if (letters.length === 0) {
    terminal.print(`0 dead letters${about}: nothing to delete`);
    return 0;
  }
  const what = `${lettersText(letters.length)}${about} (${reasonsText(letters)})`;
  const verb = trash ? 'moved into the trash' : 'deleted';
  const where = `${trash ? '' : 'for good, '}on ${target.broker.name}`;
  if (dryRun) {
    terminal.print(`${what} would be ${verb} ${where}`);
    return 0;
  }
  await confirm(`${what} will be ${verb} ${where}`, terminal, yes);
  // Letters that came after the question were not agreed to, so only the listed ones are deleted.
  return runActing(terminal, letters.length, done, (hooks) =>
    failures.forget(exactly(letters), {
      ...hooks,
      ...(trash ? { trash: { by: whoAmI() } } : {}),
    }),
  );
}
