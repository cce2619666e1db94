import { runActing } from '../acting.js';
import { confirm } from '../confirm.js';
import { atDesk } from '../desk.js';
import { exactly, type FilterFlags, reasonsText, withFilters } from '../filters.js';
import type { AddCommand } from '../program.js';
import { chosen } from '../selection.js';
import { type TargetFlags, withTarget } from '../target.js';
import { lettersText } from '../text.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** `hopline failed forget`: gone for good. */
export const addForget: AddCommand = (parent, { terminal, exit }) => {
  const command = parent
    .command('forget')
    .description('delete dead letters for good')
    .argument('[ids...]', 'their ids, or the beginnings of them');
  withFilters(withTarget(command))
    .option('--all', 'all of them that the filters leave')
    .option('--yes', 'do it without asking')
    .action(async (ids: string[], flags: Flags) => {
      const filter = chosen(ids, flags);
      await atDesk(flags, terminal, async ({ failures, target }) => {
        const letters = await failures.list(filter);
        if (letters.length === 0) return terminal.print('0 dead letters: nothing to forget');
        const what = `${lettersText(letters.length)} (${reasonsText(letters)}) will be deleted for good, on ${target.broker.name}`;
        await confirm(what, terminal, flags.yes);
        exit(
          await runActing(terminal, letters.length, 'forgotten', (hooks) =>
            failures.forget(exactly(letters, filter), hooks),
          ),
        );
      });
    });
};
