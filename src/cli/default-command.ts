import type { Command } from 'commander';
import { didYouMean } from '../util/check.js';
import { UsageError } from './usage-error.js';

/**
 * The default command of a group is given what is meant for another, and wrongly written. For one that takes no arguments, and
 * allows too many.
 *
 * @throws UsageError
 */
export function refuseUnknown({ args: [name], parent }: Command): void {
  if (name === undefined) return;
  const known = parent?.commands.map((each) => each.name()) ?? [];
  throw new UsageError(
    `unknown command '${name}'${didYouMean(name, known)}`,
    `The commands are ${known.join(', ')}`,
  );
}
