import { appOfPackage, describeApplication } from '../../application.js';
import type { DefineCommand } from '../../command.js';
import { topologyTree } from '../../topology/tree.js';
import { UsageError } from '../../usage-error.js';

interface Flags {
  readonly app?: string;
  readonly json?: boolean;
}

/** An address for applications that read one as they are imported; nothing connects to it. */
export const ANY_BROKER = 'amqp://localhost';

/**
 * `hopline topology show`: the exchanges, queues and bindings that the application wants in the broker. Needs
 * no broker.
 */
export const define: DefineCommand = (command, { terminal }) => {
  command
    .option('--app <file>', 'module that exports the bus (or hopline.app in package.json); it is not started')
    .option('--json', 'one JSON array; the fields are those of BusDescription')
    .action(async (flags: Flags) => {
      const described = await describeApplication(appOf(flags), ANY_BROKER);
      if (flags.json) await terminal.write(`${JSON.stringify(described, undefined, 2)}\n`);
      else for (const bus of described) for (const line of topologyTree(bus)) terminal.print(line);
    });
};

/** Reads `--app`, or `hopline.app` of the nearest package.json. @throws UsageError */
export function appOf({ app }: Flags): string {
  const found = app ?? appOfPackage(process.cwd());
  if (found !== undefined) return found;
  throw new UsageError(
    'which application?',
    'Give --app with the module that exports the bus, or hopline.app in package.json',
  );
}
