import type { DeadLetterFilter } from '../../failures/filter.js';
import { lettersText } from '../../failures/letters/letters-text.js';
import type { Terminal } from '../output/terminal.js';
import { runActing } from './acting.js';
import { chosenLetters, listedLetters } from './chosen-letters.js';
import { confirm } from './confirm.js';
import type { DeadLetterSession } from './dead-letter-session.js';
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
  const { count, reasons, selection } = dryRun
    ? listedLetters(await failures.list(filter))
    : await chosenLetters(failures, filter, { yes });
  const about = which && ` ${which}`;
  if (count === 0) {
    terminal.print(`0 dead letters${about}: nothing to delete`);
    return 0;
  }
  const what = `${lettersText(count)}${about}${reasons}`;
  const verb = trash ? 'moved into the trash' : 'deleted';
  const where = `${trash ? '' : 'for good, '}on ${target.broker.name}`;
  if (dryRun) {
    terminal.print(`${what} would be ${verb} ${where}`);
    return 0;
  }
  await confirm(`${what} will be ${verb} ${where}`, terminal, yes);
  return runActing(terminal, count, done, (hooks) =>
    failures.forget(selection, {
      ...hooks,
      ...(trash ? { trash: { by: whoAmI() } } : {}),
    }),
  );
}
