import type { Command } from 'commander';
import type { BusDescription } from '../../consume/handlers/bus-description.js';
import { isKept } from '../../topology/bus-topology.js';
import { appOfPackage, describeApplication } from '../application.js';
import type { Terminal } from '../output/terminal.js';
import { UsageError } from '../usage-error.js';
import { type Broker, type BrokerFlags, brokerOf, withBroker } from './broker.js';

/** Flags that select an application or queues. */
export interface TargetFlags extends BrokerFlags {
  readonly app?: string;
  readonly queue?: readonly string[];
  readonly other?: readonly string[];
  readonly prefix?: string;
  readonly delayPrefix?: string;
}

export interface Target {
  readonly broker: Broker;
  readonly queues: readonly string[];
  /** Queues with dead letters of others. */
  readonly others: readonly string[];
  /**
   * True for queues that are named one by one: a missing one is a mistake. Queues of an application may not
   * be declared yet.
   */
  readonly named: boolean;
  readonly prefix: string | undefined;
  readonly delayPrefix: string | undefined;
}

export const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];

export function withTarget(command: Command): Command {
  return withBroker(command)
    .option('--app <file>', 'module that exports the bus (or hopline.app in package.json); it is not started')
    .option('--queue <name>', 'queue whose dead letters are meant; may be repeated', collect)
    .option(
      '--other <name>',
      'queue with dead letters of others, such as error or X_error; may be repeated',
      collect,
    )
    .option('--prefix <name>', "the application's prefix, if --queue names the queues")
    .option('--delay-prefix <name>', "the application's delayPrefix, if it has one");
}

/** Reads the queues that the flags select. @throws UsageError */
export async function targetOf(flags: TargetFlags, { env }: Terminal): Promise<Target> {
  const broker = brokerOf(flags, env);
  const { queue: named, other: others = [], prefix, delayPrefix } = flags;
  const app = flags.app ?? (named && prefix !== undefined ? undefined : appOfPackage(process.cwd()));
  if (app === undefined) {
    if (named || others.length > 0)
      return { broker, queues: named ?? [], others, named: true, prefix, delayPrefix };
    throw new UsageError(
      'which queues?',
      'Give --app with the module that exports the bus (or hopline.app in package.json), or name them with --queue',
    );
  }
  const instead = `or, without it, ${named ? 'give' : 'name the queues with --queue, and'} its prefix with --prefix`;
  const described = await describeApplication(app, broker.url, instead);
  const queues = named ?? described.flatMap((bus) => bus.queues.filter(isKept).map(({ name }) => name));
  if (queues.length === 0)
    throw new UsageError(
      `the bus of '${app}' has no handlers of messages, so no queues with dead letters`,
      'Name some with --queue',
    );
  return {
    broker,
    queues,
    others,
    named: named !== undefined,
    prefix: prefix ?? sharedPrefix(described),
    delayPrefix: delayPrefix ?? sharedDelayPrefix(described),
  };
}

/** The prefix that all buses have. @throws UsageError if they have several */
export const sharedPrefix = (buses: readonly BusDescription[]): string | undefined => shared(buses, 'prefix');

/** The same for the prefix of their delays. */
export const sharedDelayPrefix = (buses: readonly BusDescription[]): string | undefined =>
  shared(buses, 'delayPrefix');

function shared(buses: readonly BusDescription[], name: 'prefix' | 'delayPrefix'): string | undefined {
  const values = [...new Set(buses.map((bus) => bus[name]))];
  if (values.length <= 1) return values[0];
  throw new UsageError(
    `the application's buses have several prefixes: ${values.join(', ')}`,
    'Name the queues of one of them with --queue, and its prefix with --prefix',
  );
}
