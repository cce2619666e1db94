import { runActing } from '../acting.js';
import { confirm } from '../confirm.js';
import { atDesk } from '../desk.js';
import { exactly, reasonsText } from '../filters.js';
import type { AddCommand } from '../program.js';
import { type TargetFlags, withTarget } from '../target.js';
import { lettersText } from '../text.js';

interface Flags extends TargetFlags {
  readonly yes?: boolean;
}

/** `hopline failed flush`: empties the dead-letter queues of what lies in them when it asks. */
export const addFlush: AddCommand = (parent, { terminal, exit }) => {
  withTarget(parent.command('flush').description('delete everything that lies in the dead-letter queues'))
    .option('--yes', 'do it without asking')
    .action(async (flags: Flags) => {
      await atDesk(flags, terminal, async ({ failures, target }) => {
        const letters = await failures.list();
        if (letters.length === 0) return terminal.print('0 dead letters: nothing to flush');
        const queues = [...new Set(letters.map(({ deadQueue }) => deadQueue))].join(', ');
        const what = `all of ${queues}, ${lettersText(letters.length)} (${reasonsText(letters)}), will be deleted for good, on ${target.broker.name}`;
        await confirm(what, terminal, flags.yes);
        // Not whatever is there by now: what came after the question was never agreed to.
        exit(
          await runActing(terminal, letters.length, 'deleted', (hooks) =>
            failures.forget(exactly(letters, {}), hooks),
          ),
        );
      });
    });
};
