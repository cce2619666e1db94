import { UnreadableLettersError } from '../../../errors.js';
import type { Failures } from '../../../failures/failures.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { runActing } from '../../dead-letters/acting.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { exactly, reasonsText } from '../../dead-letters/filters.js';
import type { Terminal } from '../../output/terminal.js';

interface Flags extends TargetFlags {
  readonly yes?: boolean;
}

/** Deletes everything in the queues unread: where some letters can't be read, not all can be listed. */
async function flushUnread(
  failures: Failures,
  unread: string,
  yes: boolean | undefined,
  terminal: Terminal,
): Promise<void> {
  const counts = (await failures.count()).filter(({ count }) => count);
  const queues = counts.map(({ deadQueue, count }) => `${deadQueue} (${lettersText(count ?? 0)})`).join(', ');
  const what = `all of ${queues}, and what comes there meanwhile, will be deleted for good; ${unread} can't be read`;
  await confirm(what, terminal, yes);
  let deleted = 0;
  for (const { deadQueue } of counts) deleted += await failures.flush(deadQueue);
  terminal.print(`${lettersText(deleted)} deleted`);
}

/** `hopline failed flush`: deletes the letters that are in the dead-letter queues when it asks. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withTarget(command)
    .option('--yes', 'do it without asking')
    .action(async (flags: Flags) => {
      await withDeadLetters(flags, terminal, async ({ failures, target }) => {
        const letters = await failures.listFree().catch((error) => {
          if (error instanceof UnreadableLettersError) return error;
          throw error;
        });
        const unread =
          letters instanceof UnreadableLettersError
            ? [`many letters of ${letters.deadQueue}`]
            : failures.unreadable.map(({ deadQueue, count }) => `${count} of ${deadQueue}`);
        if (letters instanceof UnreadableLettersError || unread.length > 0)
          return flushUnread(failures, unread.join(', '), flags.yes, terminal);
        if (letters.length === 0) return terminal.print('0 dead letters: nothing to flush');
        const queues = [...new Set(letters.map(({ deadQueue }) => deadQueue))].join(', ');
        const what = `all of ${queues}, ${lettersText(letters.length)} (${reasonsText(letters)}), will be deleted for good, on ${target.broker.name}`;
        await confirm(what, terminal, flags.yes);
        // Letters that came after the question were not agreed to, so only the listed ones are deleted.
        exit(
          await runActing(terminal, letters.length, 'deleted', (hooks) =>
            failures.forget(exactly(letters), hooks),
          ),
        );
      });
    });
};
