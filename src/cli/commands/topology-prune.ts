import { describeApplication } from '../application.js';
import { type BrokerFlags, brokerOf, withBroker } from '../broker.js';
import { confirm } from '../confirm.js';
import type { ManagedBinding } from '../doctor/facts.js';
import { leftOverBindings } from '../doctor/management-checks.js';
import { type ManagementFlags, managementOf, withManagement } from '../doctor/management-flags.js';
import type { AddCommand } from '../program.js';
import { withSession } from '../session.js';
import { oneLine } from '../text.js';
import { appOf } from './topology-show.js';

interface Flags extends BrokerFlags, ManagementFlags {
  readonly app?: string;
  readonly yes?: boolean;
}

/**
 * `hopline topology prune`: unbinds the application's queues from patterns that no handler of it has any more. Only
 * when no older version of it runs: that one would miss its messages. Queues and messages stay.
 */
export const addTopologyPrune: AddCommand = (parent, { terminal }) => {
  const command = parent
    .command('prune')
    .description('unbind patterns that no handler has any more; when no older version of the service runs')
    .option(
      '--app <file>',
      'module that exports the bus (or hopline.app in package.json); it is not started',
    );
  withManagement(withBroker(command))
    .option('--yes', 'do it without asking')
    .action(async (flags: Flags) => {
      const broker = brokerOf(flags, terminal.env);
      const management = managementOf(flags, broker, terminal.env);
      const described = await describeApplication(appOf(flags), broker.url);
      await withSession(broker, ({ session }) => management.requireCluster(session.brokerInfo.cluster));
      const bindings = await management.bindings();
      const stale = described.flatMap((bus) => leftOverBindings(bus, bindings));
      if (stale.length === 0) return terminal.print('nothing to prune: all bindings are wanted');
      for (const binding of stale) terminal.print(oneLine(nameOf(binding)));
      const what = `${stale.length === 1 ? 'this binding' : `these ${stale.length} bindings`} will be undone, on ${broker.name}`;
      await confirm(what, terminal, flags.yes);
      for (const binding of stale) await management.unbind(binding);
      terminal.print(`${stale.length} undone`);
    });
};

function nameOf({ source, destination, pattern }: ManagedBinding): string {
  return `'${pattern}' of exchange '${source}' → queue '${destination}'`;
}
