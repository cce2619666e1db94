import type { Command } from 'commander';
import { didYouMean } from '../util/check.js';
import { UsageError } from './usage-error.js';

/**
 * Refuses a misspelt command, which its group's default command gets as an argument. For a default command
 * that takes no arguments, and allows excess ones.
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
