import type { BusDescription } from '../../../consume/handlers/bus-description.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { askedText } from '../../../oversight/management/binding-identity.js';
import type { ManagedBinding } from '../../../oversight/management/managed.js';
import { Names } from '../../../topology/names.js';
import { countText, numberText } from '../../../util/text/count-text.js';
import { describeApplication } from '../../application.js';
import { type BrokerFlags, brokerOf, withBroker } from '../../broker/broker.js';
import { MOVING, withSession } from '../../broker/session.js';
import { collect } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { confirm } from '../../dead-letters/confirm.js';
import { type ManagementFlags, managementOf, withManagement } from '../../doctor/management-flags.js';
import type { Terminal } from '../../output/terminal.js';
import { oneLine } from '../../output/text.js';
import {
  findLeftOvers,
  type LeftOvers,
  missingTargets,
  type PrunedQueue,
  type PruneOptions,
  prune,
  type QueueLeftOver,
} from '../../topology/prune.js';
import { standingBuses } from '../../topology/standing-bus.js';
import { UsageError } from '../../usage-error.js';
import { appOf } from './show.js';

interface Flags extends BrokerFlags, ManagementFlags {
  readonly app?: string;
  readonly to?: string;
  readonly keep?: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/**
 * `hopline topology prune`: removes what older versions of the application have left in the broker. It undoes
 * bindings of the application's queues that no handler wants. Queues under the service's name that the
 * application doesn't declare and nobody consumes are emptied into the queues that have their patterns now,
 * and deleted. Only safe when no older version of the application runs.
 */
export const define: DefineCommand = (command, { terminal }) => {
  command.option(
    '--app <file>',
    'module that exports the bus (or hopline.app in package.json); it is not started',
  );
  withManagement(withBroker(command))
    .option(
      '--to <queue>',
      'queue of the application that gets messages whose pattern none of its queues has',
    )
    .option(
      '--keep <service>',
      "another service whose name begins with this one's and a dot: its queues stay; may be repeated",
      collect,
    )
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--yes', 'do it without asking')
    .action(async (flags: Flags) => {
      const broker = brokerOf(flags, terminal.env);
      const management = managementOf(flags, broker, terminal.env);
      const described = await describeApplication(appOf(flags), broker.url);
      const to = targetOf(flags, described);
      const within: PruneOptions['within'] = (names, use) =>
        withSession(broker, names, ({ session }) => use(session), MOVING);
      await withSession(broker, new Names(), async ({ session, transport: { clock } }) => {
        const applications = await standingBuses(described, session, clock);
        const options = { session, within, clock, management, applications, to, keep: flags.keep ?? [] };
        const found = await findLeftOvers(options);
        if (!(await isWanted(options, found, { ...flags, at: broker.name }, terminal))) return;
        tell(terminal, found, await prune(options, found));
      });
    });
};

/**
 * Shows the pending changes, and asks.
 *
 * @throws UsageError, Stopped
 */
async function isWanted(
  options: PruneOptions,
  found: LeftOvers,
  { at, dryRun, yes }: Pick<Flags, 'dryRun' | 'yes'> & { readonly at: string },
  terminal: Terminal,
): Promise<boolean> {
  const lines = [
    ...found.bindings.map(bindingText),
    ...found.queues.map((queue) => queueText(queue, options.to)),
  ];
  for (const line of lines) terminal.print(oneLine(line));
  if (lines.length === 0)
    terminal.print('nothing to prune: all bindings are wanted, and no queue is left over');
  else if (dryRun) terminal.tell('nothing was done: this is what would be');
  if (lines.length === 0 || dryRun) return false;
  const missing = await missingTargets(options, found);
  if (missing.length > 0)
    throw new UsageError(
      `nothing was done: queue '${missing.join("', '")}' is not there to take messages`,
      'Start the version of the service once that declares it',
    );
  await confirm(`${whatOf(found)}, on ${at}`, terminal, yes);
  return true;
}

/** Reads `--to`. @throws UsageError */
function targetOf({ to }: Flags, applications: readonly BusDescription[]): string | undefined {
  const queues = applications.flatMap((bus) =>
    bus.queues.flatMap(({ lanes }) => lanes.map(({ queue }) => queue)),
  );
  if (to === undefined || queues.includes(to)) return to;
  throw new UsageError(
    `the application has no queue '${to}'`,
    `Name one of ${queues.join(', ')}, or leave --to out: what nobody takes stays`,
  );
}

function bindingText(binding: ManagedBinding): string {
  return `${askedText(binding)} of exchange '${binding.source}' → queue '${binding.destination}'`;
}

/** The line that tells what will become of a queue. */
function queueText({ name, kind, of, ready, ways }: QueueLeftOver, to: string | undefined): string {
  if (kind === 'dead')
    return ready === 0
      ? `queue '${name}': empty, goes with its queue`
      : `queue '${name}': ${lettersText(ready)}; hopline failed retry --queue ${of} --all --republish sends what is there to who takes it now`;
  if (kind === 'landing') return `queue '${name}': goes with its queue`;
  if (ready === 0) return `queue '${name}': empty, nobody consumes it`;
  const ends = ways.map(({ exchange, pattern, successor = to }) =>
    successor === undefined
      ? `'${pattern}' of exchange '${exchange}' stays: no queue of the application has just this pattern, or several have (--to names one)`
      : `'${pattern}' of exchange '${exchange}' to queue '${successor}'`,
  );
  if (ends.length === 0)
    ends.push(to === undefined ? 'not bound any more: they stay (--to names a queue)' : `to queue '${to}'`);
  return `queue '${name}': ${countText(ready, 'message')}, nobody consumes it; ${ends.join('; ')}`;
}

function whatOf({ bindings, queues }: LeftOvers): string {
  const work = queues.filter(({ kind }) => kind === 'work');
  const parts = [
    ...(bindings.length > 0
      ? [`${bindings.length === 1 ? 'this binding' : `these ${bindings.length} bindings`} will be undone`]
      : []),
    ...(queues.length > 0
      ? [
          `${countText(queues.length, 'left-over queue')} unbound, emptied as said, and deleted if nothing is left in it`,
        ]
      : []),
  ];
  const twice = work.some(({ ready }) => ready > 0)
    ? '. What was published after the new queue was there lies in both: it is handled again, under the same messageId, unless its handler is idempotent'
    : '';
  return `${parts.join('; ')}${twice}`;
}

function tell(terminal: Terminal, { bindings }: LeftOvers, pruned: readonly PrunedQueue[]): void {
  if (bindings.length > 0) terminal.print(`${bindings.length} undone`);
  for (const { name, moved, stayed, isDeleted, kind } of pruned) {
    const what = [
      ...(moved > 0 ? [`${numberText(moved)} moved`] : []),
      ...(stayed > 0 ? [`${kind === 'dead' ? lettersText(stayed) : numberText(stayed)} left`] : []),
      isDeleted ? 'deleted' : 'kept',
    ];
    terminal.print(oneLine(`queue '${name}': ${what.join(', ')}`));
  }
}
