import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { type FilterFlags, withFilters } from '../../dead-letters/filters.js';
import { forgetLetters } from '../../dead-letters/forget-letters.js';
import { selectedLetters } from '../../dead-letters/selected-letters.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly trash?: boolean;
}

/** `hopline failed forget`: deletes dead letters for good, or moves them into the trash. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('[ids...]', 'their ids, or the beginnings of them');
  withFilters(withTarget(command))
    .option('--all', 'all dead letters that the filters select')
    .option(
      '--trash',
      'move them into the trash, from which `hopline failed restore` brings them back for a day',
    )
    .option('--yes', 'do it without asking')
    .action(async (ids: string[], flags: Flags) => {
      const filter = selectedLetters(ids, flags);
      const words = { which: '', done: flags.trash ? 'moved into the trash' : 'forgotten' };
      await withDeadLetters(flags, terminal, async (session) => {
        exit(await forgetLetters(session, terminal, filter, flags, words));
      });
    });
};
