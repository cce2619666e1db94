import { TopologyError } from '../../../errors.js';
import { withBroker } from '../../broker/broker.js';
import type { DefineCommand } from '../../command.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withManagement } from '../../doctor/management-flags.js';
import type { Terminal } from '../../output/terminal.js';
import { applyTopology, isRefused } from '../../topology/apply.js';
import { countsText } from '../../topology/plan/changes-text.js';
import { type PlanFlags, type Planned, printChanges, withPlan } from './plan.js';

interface Flags extends PlanFlags {
  readonly yes?: boolean;
}

/**
 * `hopline topology apply`: declares what the application wants in the broker, apart from its processes, which then run with
 * `topology: 'verify'` and need no permission to configure.
 */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.option(
    '--app <file>',
    'module that exports the bus (or hopline.app in package.json); it is not started',
  );
  withManagement(withBroker(command))
    .option('--yes', 'do it without asking')
    .action(async (flags: Flags) => {
      await withPlan(flags, terminal, async (planned) => {
        printChanges(terminal, planned.changes);
        exit(await apply(planned, terminal, flags.yes));
      });
    });
};

/** Asks, and declares. Returns the exit code. @throws UsageError, Stopped, TopologyError, ConnectError */
async function apply(
  { session, clock, wanted, changes, broker }: Planned,
  terminal: Terminal,
  yes: boolean | undefined,
): Promise<number> {
  const { additions, unseen } = changes;
  if (isRefused(changes)) {
    terminal.tell(
      "nothing was done: what stands behind ! and ? can't be made, and a start would be refused for it",
    );
    return 1;
  }
  if (additions.length === 0 && unseen === 0) {
    terminal.print('nothing to do: all is there');
    return 0;
  }
  const what = additions.length === 0 ? 'bindings that were not seen' : countsText(additions);
  await confirm(`${what} will be made, on ${broker.name}`, terminal, yes);
  try {
    await applyTopology(session, clock, wanted, changes);
  } catch (error) {
    if (error instanceof TopologyError)
      terminal.tell(
        'not all was made: what is there stays, and the command can be run again once this is mended',
      );
    throw error;
  }
  terminal.print(unseen > 0 ? `made: ${what}; and bindings, where they were missing` : `made: ${what}`);
  return 0;
}
