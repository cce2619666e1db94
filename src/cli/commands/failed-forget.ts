import { atDesk } from '../desk.js';
import { type FilterFlags, withFilters } from '../filters.js';
import { forgetThese } from '../forgetting.js';
import type { AddCommand } from '../program.js';
import { chosen } from '../selection.js';
import { type TargetFlags, withTarget } from '../target.js';

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
      const words = { which: '', done: 'forgotten' };
      await atDesk(flags, terminal, async (desk) => {
        exit(await forgetThese(desk, terminal, filter, flags, words));
      });
    });
};
