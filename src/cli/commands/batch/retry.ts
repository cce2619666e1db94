import { lettersText } from '../../../failures/letters/letters-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { runActing } from '../../dead-letters/acting.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { exactly, reasonsText } from '../../dead-letters/filters.js';

interface Flags extends TargetFlags {
  readonly yes?: boolean;
}

/**
 * `hopline batch retry ID`: replays the dead letters of a batch's jobs. A job that succeeds then counts as
 * done in its batch.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('<id>', 'its id');
  withTarget(command)
    .option('--yes', 'do it without asking')
    .action(async (batch: string, flags: Flags) => {
      await withDeadLetters(flags, terminal, async ({ failures, target }) => {
        const filter = { batch };
        const letters = await failures.list(filter);
        if (letters.length === 0) return terminal.print('0 dead letters: nothing to replay');
        const what = `${lettersText(letters.length)} (${reasonsText(letters)}) of batch '${batch}' will be replayed, on ${target.broker.name}`;
        await confirm(what, terminal, flags.yes);
        exit(
          await runActing(terminal, letters.length, 'replayed', (hooks) =>
            failures.retry(exactly(letters), hooks),
          ),
        );
      });
    });
};
