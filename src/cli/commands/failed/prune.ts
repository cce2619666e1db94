import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { type FilterFlags, filterOf, withFilters } from '../../dead-letters/filters.js';
import { type ForgetFlags, forgetLetters } from '../../dead-letters/forget-letters.js';
import { timeText } from '../../output/text.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags, FilterFlags, ForgetFlags {}

/**
 * `hopline failed prune --older-than 30d`: deletes old dead letters; meant for a timer. A letter without a
 * time of failure never counts as old.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withFilters(withTarget(command))
    .option('--dry-run', 'only say what would be deleted')
    .option('--yes', 'do it without asking')
    .action(async (flags: Flags) => {
      const filter = filterOf(flags);
      if (!(filter.before instanceof Date))
        throw new UsageError('how old?', 'Give --older-than 30d, or another duration');
      const words = { which: `that failed before ${timeText(filter.before)}`, done: 'pruned' };
      await withDeadLetters(flags, terminal, async (session) => {
        exit(await forgetLetters(session, terminal, filter, flags, words));
      });
    });
};
