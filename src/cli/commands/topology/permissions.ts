import type { Occasion } from '../../../topology/rights.js';
import { didYouMean } from '../../../util/check.js';
import { describeApplication } from '../../application.js';
import { collect } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { OCCASIONS, permissionLines, usersOf } from '../../topology/permissions.js';
import { UsageError } from '../../usage-error.js';
import { ANY_BROKER, appOf } from './show.js';

interface Flags {
  readonly app?: string;
  readonly user?: string;
  readonly vhost: string;
  readonly exchange?: readonly string[];
  readonly queue?: readonly string[];
  readonly for?: string;
  readonly json?: boolean;
}

const KNOWN = Object.keys(OCCASIONS) as Occasion[];

/**
 * `hopline topology permissions`: the least rights that an application needs in a broker. Needs no broker.
 */
export const define: DefineCommand = (command, { terminal }) => {
  command
    .argument('[app]', 'module that exports the bus (or hopline.app in package.json); it is not started')
    .option('--app <file>', 'the same')
    .option('--user <name>', "the broker's user; else one with the service's name")
    .option('--vhost <name>', 'vhost that the rights are for', '/')
    .option('--exchange <name>', 'another exchange that it publishes to; may be repeated', collect)
    .option('--queue <name>', 'a queue that it sends to with sendToQueue(); may be repeated', collect)
    .option('--for <occasion>', `only the rights for ${KNOWN.join(', ')}; else all of them, the widest last`)
    .option('--json', 'one JSON array: user, vhost, permissions, topicPermissions')
    .action(async (app: string | undefined, flags: Flags) => {
      const occasions = flags.for === undefined ? KNOWN : [occasionOf(flags.for)];
      const described = await describeApplication(appOf(app === undefined ? flags : { app }), ANY_BROKER);
      const users = usersOf(described, { ...flags, occasions });
      if (flags.json) await terminal.write(`${JSON.stringify(users, undefined, 2)}\n`);
      else for (const line of users.flatMap(permissionLines)) terminal.print(line);
    });
};

/** Reads `--for`. @throws UsageError */
function occasionOf(text: string): Occasion {
  const found = KNOWN.find((each) => each === text);
  if (found === undefined)
    throw new UsageError(`--for is '${text}'${didYouMean(text, KNOWN)}`, `It may be ${KNOWN.join(', ')}`);
  return found;
}
