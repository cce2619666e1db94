import { lettersText } from '../../../failures/letters/letters-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { runActing } from '../../dead-letters/acting.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { exactly, type FilterFlags, withFilters } from '../../dead-letters/filters.js';
import { selectedLetters } from '../../dead-letters/selected-letters.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** `hopline failed restore`: brings letters of the trash back into the dead-letter queues that they were in. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('[ids...]', 'their ids, or the beginnings of them');
  withFilters(withTarget(command))
    .option('--all', 'all letters of the trash that the filters select')
    .option('--yes', 'do it without asking')
    .action(async (ids: string[], flags: Flags) => {
      const filter = selectedLetters(ids, flags);
      await withDeadLetters(flags, terminal, async ({ failures, target }) => {
        await failures.checkFree('trash');
        const letters = await failures.trash(filter);
        if (letters.length === 0) return terminal.print('0 letters in the trash: nothing to restore');
        if (flags.all)
          await confirm(
            `${lettersText(letters.length)} will be brought back from the trash, on ${target.broker.name}`,
            terminal,
            flags.yes,
          );
        exit(
          await runActing(terminal, letters.length, 'restored', (hooks) =>
            failures.restore(exactly(letters), hooks),
          ),
        );
      });
    });
};
