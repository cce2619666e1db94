import { writeFileSync } from 'node:fs';
import { Names } from '../../topology/names.js';
import { countText } from '../../util/text/count-text.js';
import { applicationCode } from '../adopt/application-code.js';
import { type Adoptable, adoptable, unknownNames, type Vhost } from '../adopt/found-vhost.js';
import { leftOutTexts } from '../adopt/left-out-text.js';
import { type BrokerFlags, brokerOf, withBroker } from '../broker/broker.js';
import { withSession } from '../broker/session.js';
import { collect } from '../broker/target.js';
import type { DefineCommand } from '../command.js';
import { type ManagementFlags, managementOf, withManagement } from '../doctor/management-flags.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';
import { UsageError } from '../usage-error.js';

interface Flags extends BrokerFlags, ManagementFlags {
  readonly queue?: readonly string[];
  readonly exchange?: readonly string[];
  readonly service: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** `hopline adopt`: reads a vhost, and writes TypeScript that consumes its queues as they are. Changes nothing there. */
export const define: DefineCommand = (command, { terminal }) => {
  withManagement(withBroker(command))
    .option('--queue <name>', 'queue that is meant, with * for any text; may be repeated; else all', collect)
    .option(
      '--exchange <name>',
      'exchange that is meant, with the queues that are bound to it; with * for any text; may be repeated',
      collect,
    )
    .option('--service <name>', 'service that the application is to be', 'adopted')
    .option('--out <file>', 'file to write, which must not be there; else standard output')
    .option('--json', 'what was found instead: one JSON object: exchanges, queues, leftOut')
    .action(async (flags: Flags) => {
      const broker = brokerOf(flags, terminal.env);
      const management = managementOf(flags, broker, terminal.env);
      const vhost = await withSession(broker, new Names(), async ({ session }): Promise<Vhost> => {
        await management.requireCluster(session.brokerInfo.cluster);
        const [exchanges, queues, bindings] = await Promise.all([
          management.exchanges(),
          management.queuesInUse(),
          management.bindings(),
        ]);
        return { exchanges, queues, bindings };
      });
      const found = selected(vhost, flags);
      const code = flags.json
        ? `${JSON.stringify(found, undefined, 2)}\n`
        : applicationCode(found, { service: flags.service, at: broker.name });
      if (flags.out === undefined) await terminal.write(code);
      else write(flags.out, code);
      tell(terminal, found, flags.out);
    });
};

/** @throws UsageError for a name that nothing has */
function selected(vhost: Vhost, { queue: queues = [], exchange: exchanges = [] }: Flags): Adoptable {
  const [unknown] = unknownNames(vhost, { queues, exchanges });
  if (unknown === undefined) return adoptable(vhost, { queues, exchanges });
  throw new UsageError(
    `the vhost has nothing that is called '${unknown}'`,
    'Look at the name, and at the vhost at the end of the url; * stands for any text',
  );
}

/** Writes a file that isn't there yet. @throws UsageError */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    throw new UsageError(`can't write --out: ${(error as Error).message}`, 'Name a file that is not there');
  }
}

function tell(terminal: Terminal, { exchanges, queues, leftOut }: Adoptable, out: string | undefined): void {
  for (const text of leftOutTexts(leftOut)) terminal.tell(oneLine(`left out: ${text}`));
  if (out === undefined) return;
  const [its, others] = [countText(queues.length, 'queue'), countText(exchanges.length, 'exchange')];
  terminal.tell(oneLine(`${out}: ${its}, ${others}`));
}
