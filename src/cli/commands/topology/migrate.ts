import type { BusDescription, QueueDescription } from '../../../consume/handlers/bus-description.js';
import { Asking } from '../../../control/asking.js';
import type { Arguments } from '../../../message/exchange-option.js';
import { Migration } from '../../../oversight/migration/migration.js';
import { landingQueueOf, Names } from '../../../topology/names.js';
import { rabbitmq } from '../../../transport/amqp/index.js';
import { Deadline } from '../../../util/deadline.js';
import { Emitter } from '../../../util/emitter.js';
import { silentLogger } from '../../../util/logger.js';
import { describeApplication } from '../../application.js';
import { type Broker, type BrokerFlags, brokerOf, withBroker } from '../../broker/broker.js';
import { MOVING } from '../../broker/session.js';
import type { DefineCommand } from '../../command.js';
import { confirm } from '../../dead-letters/confirm.js';
import { type ManagementFlags, managementOf, withManagement } from '../../doctor/management-flags.js';
import { oneLine } from '../../output/text.js';
import { UsageError } from '../../usage-error.js';
import { appOf } from './show.js';

interface Flags extends BrokerFlags, ManagementFlags {
  readonly app?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const CONNECT_MS = 5_000;
const CLOSE_MS = 5_000;

/**
 * `hopline topology migrate QUEUE`: gives a queue the type and the arguments that the application's options say, one lane after the
 * other, while it is published to and its workers run. Run again, it goes on where it has stopped.
 */
export const define: DefineCommand = (command, { terminal }) => {
  command
    .argument('<queue>', "a queue of the application, by its options' name")
    .option(
      '--app <file>',
      'module that exports the bus with the new options (or hopline.app in package.json); it is not started',
    );
  withManagement(withBroker(command))
    .option('--dry-run', 'show what would change, and do nothing')
    .option('--yes', 'do it without asking')
    .action(async (queue: string, flags: Flags) => {
      const broker = brokerOf(flags, terminal.env);
      const management = managementOf(flags, broker, terminal.env);
      const { bus, lanes } = queueIn(await describeApplication(appOf(flags), broker.url), queue);
      const argumentsOf = (name: string) =>
        bus.plan.queues.find((each) => each.name === name)?.arguments as Arguments | undefined;
      const names = new Names(bus.prefix, bus.delayPrefix);
      const tell = (line: string) => terminal.print(oneLine(line));
      await connected(broker, names, async (parts) => {
        const migrationOf = (name: string, dryRun: boolean) =>
          new Migration({
            ...{ ...parts, names, management, tell, dryRun, queue: name },
            wanted: argumentsOf(name) ?? {},
            landing: argumentsOf(landingQueueOf(name)),
          });
        await management.requireCluster(parts.session.brokerInfo.cluster);
        const due: string[] = [];
        for (const { queue: name } of lanes) {
          const migration = migrationOf(name, true);
          if (!(await migration.run())) tell(`queue '${name}' has the arguments that it is to have`);
          else if (migration.hasBegun) due.unshift(name);
          else due.push(name);
        }
        if (due.length === 0) return;
        if (flags.dryRun) return terminal.tell('nothing was done: this is what would be');
        await confirm(
          `queue '${due.join("', '")}' gets these arguments, on ${broker.name}; what comes meanwhile waits, some seconds or until what is there is handled`,
          terminal,
          flags.yes,
        );
        for (const name of due) {
          await migrationOf(name, false).run();
          tell(`queue '${name}' is migrated`);
        }
      });
    });
};

/** @throws UsageError if the application has no such queue that keeps messages */
function queueIn(
  buses: readonly BusDescription[],
  queue: string,
): { readonly bus: BusDescription; readonly lanes: QueueDescription['lanes'] } {
  for (const bus of buses) {
    const found = bus.queues.find(
      ({ name, kind, lanes }) =>
        kind === 'work' && (name === queue || lanes.some((lane) => lane.queue === queue)),
    );
    const isForeign = bus.plan.queues.some(({ name, verifyOnly }) => name === queue && verifyOnly);
    if (found && isForeign)
      throw new UsageError(
        `queue '${queue}' belongs to someone else, by its option declare: false`,
        'Its owner has to change it',
      );
    if (found) return { bus, lanes: found.lanes };
  }
  throw new UsageError(
    `the application has no queue '${queue}' whose messages are kept`,
    'hopline topology show lists its queues',
  );
}

/** Connects without knowing of migrations: here each queue goes by its name in the broker. */
async function connected(
  { options }: Broker,
  names: Names,
  use: (
    parts: Pick<ConstructorParameters<typeof Migration>[0], 'session' | 'clock' | 'asking'>,
  ) => Promise<void>,
): Promise<void> {
  const transport = rabbitmq(options);
  const { clock } = transport;
  const events = new Emitter<never>(() => {}) as never;
  const session = await transport.open(
    { service: 'hopline-cli', names, events, log: silentLogger, ...MOVING },
    new Deadline(clock, CONNECT_MS),
  );
  try {
    await use({ session, clock, asking: await Asking.begin(session, names, clock) });
  } finally {
    await session.close(new Deadline(clock, CLOSE_MS)).catch(() => {});
  }
}
