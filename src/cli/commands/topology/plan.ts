import { Names } from '../../../topology/names.js';
import type { PlanningSession } from '../../../transport/amqp/index.js';
import type { Clock } from '../../../util/clock.js';
import { describeApplication } from '../../application.js';
import { type Broker, type BrokerFlags, brokerOf, withBroker } from '../../broker/broker.js';
import { withSession } from '../../broker/session.js';
import type { DefineCommand } from '../../command.js';
import { type ManagementFlags, managementOf, withManagement } from '../../doctor/management-flags.js';
import type { Terminal } from '../../output/terminal.js';
import { oneLine } from '../../output/text.js';
import { type TopologyChanges, topologyChanges } from '../../topology/plan/changes.js';
import { changesText, summaryText } from '../../topology/plan/changes-text.js';
import { findTopology } from '../../topology/plan/found.js';
import { type WantedTopology, wantedTopology } from '../../topology/plan/wanted.js';
import { standingBuses } from '../../topology/standing-bus.js';
import { appOf } from './show.js';

export interface PlanFlags extends BrokerFlags, ManagementFlags {
  readonly app?: string;
}

interface Flags extends PlanFlags {
  readonly json?: boolean;
  readonly check?: boolean;
}

/** `hopline topology plan`: what the start of the application would change in the broker. Changes nothing. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.option(
    '--app <file>',
    'module that exports the bus (or hopline.app in package.json); it is not started',
  );
  withManagement(withBroker(command))
    .option(
      '--json',
      'one JSON object: additions, differences, missing, unwanted, moving, unchanged, unseen, whyNoMore',
    )
    .option('--check', "exit code 1 if something would change, can't be, or couldn't be looked at")
    .action(async (flags: Flags) => {
      await withPlan(flags, terminal, async ({ changes }) => {
        if (flags.json) await terminal.write(`${JSON.stringify(changes, undefined, 2)}\n`);
        else printChanges(terminal, changes);
        if (flags.check && !isInOrder(changes)) exit(1);
      });
    });
};

/** What is wanted, what that changes, and where. */
export interface Planned {
  readonly broker: Broker;
  readonly session: PlanningSession;
  readonly clock: Clock;
  readonly wanted: WantedTopology;
  readonly changes: TopologyChanges;
}

/** Plans with a connection that is there as long as `use` runs. @throws UsageError, ConnectError */
export async function withPlan(
  flags: PlanFlags,
  { env }: Terminal,
  use: (planned: Planned) => Promise<void>,
): Promise<void> {
  const broker = brokerOf(flags, env);
  const management = managementOf(flags, broker, env);
  const applications = await describeApplication(appOf(flags), broker.url);
  await withSession(broker, new Names(), async ({ session, transport: { clock } }) => {
    const wanted = wantedTopology(await standingBuses(applications, session, clock));
    const found = await findTopology(session, clock, management, wanted);
    await use({ broker, session, clock, wanted, changes: topologyChanges(wanted, found) });
  });
}

/** Prints the changes, their numbers, and what was not seen. */
export function printChanges(terminal: Terminal, changes: TopologyChanges): void {
  for (const line of changesText(changes)) terminal.print(oneLine(line));
  terminal.print(summaryText(changes));
  if (changes.whyNoMore !== undefined)
    terminal.tell(
      oneLine(
        `note: arguments, types and bindings of what is there were not looked at, nor what nobody wants any more: ${changes.whyNoMore}`,
      ),
    );
}

function isInOrder({ additions, differences, missing, moving, whyNoMore }: TopologyChanges): boolean {
  const open = [additions, differences, missing, moving].reduce((sum, { length }) => sum + length, 0);
  return open === 0 && whyNoMore === undefined;
}
