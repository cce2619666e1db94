import { examineAll, type Patient } from '../../oversight/doctor/examine.js';
import type { Finding } from '../../oversight/doctor/finding.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { appOfPackage, describeApplication } from '../application.js';
import { brokerOf } from '../broker/broker.js';
import { type TargetFlags, withTarget } from '../broker/target.js';
import type { DefineCommand } from '../command.js';
import { type ManagementFlags, managementOf, withManagement } from '../doctor/management-flags.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';
import { UsageError } from '../usage-error.js';

interface Flags extends TargetFlags, ManagementFlags {
  readonly json?: boolean;
}

/** `hopline doctor`: faults of a broker and of an application's queues there. Changes nothing. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withManagement(withTarget(command))
    .option('--json', 'one JSON array: severity, check, message, help')
    .action(async (flags: Flags) => {
      const broker = brokerOf(flags, terminal.env);
      const management = managementOf(flags, broker, terminal.env);
      const place = { transport: rabbitmq(broker.options), address: broker.name, management };
      const said = await examineAll(await patientsOf(flags, broker.url), place);
      if (flags.json) await terminal.write(`${JSON.stringify(said, undefined, 2)}\n`);
      else for (const finding of said) printFinding(terminal, finding);
      exit(said.some(({ severity }) => severity === 'error') ? 1 : 0);
    });
};

/** The subjects to examine: each bus of the application, or the queues that are named. */
async function patientsOf(flags: Flags, url: string): Promise<Patient[]> {
  const { queue: queues = [], prefix = 'hopline', delayPrefix = 'hopline' } = flags;
  const app = flags.app ?? appOfPackage(process.cwd());
  if (app !== undefined) {
    const siblings = await describeApplication(app, url);
    return siblings.map((application) => ({ ...application, application, siblings, queues }));
  }
  if (queues.length > 0) return [{ application: undefined, siblings: [], queues, prefix, delayPrefix }];
  throw new UsageError(
    'which application?',
    'Give --app with the module that exports the bus (or hopline.app in package.json), or name queues with --queue',
  );
}

function printFinding(terminal: Terminal, { severity, message, help }: Finding): void {
  const name = severity.padEnd('warning'.length);
  terminal.print(`${severity === 'ok' ? name : terminal.strong(name)}  ${oneLine(message)}`);
  if (help && severity !== 'ok') terminal.print(`${' '.repeat(name.length)}  ${oneLine(help)}`);
}
