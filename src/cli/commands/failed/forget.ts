import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { atDesk } from '../../dead-letters/desk.js';
import { type FilterFlags, withFilters } from '../../dead-letters/filters.js';
import { forgetThese } from '../../dead-letters/forgetting.js';
import { chosen } from '../../dead-letters/selection.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly all?: boolean;
  readonly yes?: boolean;
}

/** `hopline failed forget`: deletes dead letters for good. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('[ids...]', 'their ids, or the beginnings of them');
  withFilters(withTarget(command))
    .option('--all', 'all dead letters that the filters select')
    .option('--yes', 'do it without asking')
    .action(async (ids: string[], flags: Flags) => {
      const filter = chosen(ids, flags);
      const words = { which: '', done: 'forgotten' };
      await atDesk(flags, terminal, async (desk) => {
        exit(await forgetThese(desk, terminal, filter, flags, words));
      });
    });
};
