import type { Terminal } from '../output/terminal.js';
import { Stopped, UsageError } from '../usage-error.js';

/**
 * Prints what is about to be done, and asks; with `yes` it does not ask.
 *
 * @param what a whole sentence: action, number, place
 * @throws UsageError if nobody is there to answer
 * @throws Stopped if the answer is no
 */
export async function confirm(what: string, terminal: Terminal, yes: boolean | undefined): Promise<void> {
  terminal.tell(what);
  if (yes) return;
  if (!terminal.canAsk) {
    throw new UsageError(
      'nothing was done: nobody is here to confirm it',
      'Run it in a terminal, or add --yes',
    );
  }
  if (!(await terminal.ask('Go on?'))) throw new Stopped('nothing was done', 1);
}
