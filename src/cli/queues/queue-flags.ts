import type { Command } from 'commander';
import { Names, workQueueOf } from '../../topology/names.js';
import { appOfPackage, describeApplication } from '../application.js';
import { type Broker, type BrokerFlags, brokerOf, withBroker } from '../broker/broker.js';
import { sharedDelayPrefix, sharedPrefix } from '../broker/target.js';
import type { Terminal } from '../output/terminal.js';
import { UsageError } from '../usage-error.js';

/** Flags of a command on one queue. */
export interface QueueFlags extends BrokerFlags {
  readonly app?: string;
  readonly prefix?: string;
  readonly delayPrefix?: string;
}

/** One work queue, and the names of what is around it. */
export interface NamedQueue {
  readonly broker: Broker;
  readonly names: Names;
}

export function withQueue(command: Command): Command {
  return withBroker(command)
    .argument('<queue>', 'its name in the broker; a lane is a queue of its own')
    .option(
      '--app <file>',
      'module that exports the bus (or hopline.app in package.json), for its prefix; it is not started',
    )
    .option('--prefix <name>', "the application's prefix, if it has one")
    .option('--delay-prefix <name>', "the application's delayPrefix, if it has one");
}

/** Reads which broker is meant, and refuses a queue of Hopline's own. @throws UsageError */
export async function queueOf(queue: string, flags: QueueFlags, { env }: Terminal): Promise<NamedQueue> {
  const broker = brokerOf(flags, env);
  const app = flags.app ?? (flags.prefix === undefined ? appOfPackage(process.cwd()) : undefined);
  const described = app === undefined ? [] : await describeApplication(app, broker.url, 'or give --prefix');
  const prefix = flags.prefix ?? sharedPrefix(described);
  const names = new Names(prefix, flags.delayPrefix ?? sharedDelayPrefix(described));
  const isSaid = app !== undefined || prefix !== undefined;
  if (names.isOwnQueue(queue) || (!isSaid && ownUnderAnyPrefix(queue))) throw ownQueue(queue, isSaid);
  return { broker, names };
}

/** True if an application of some prefix may have it for itself: whose prefix is not known gets the benefit of the doubt. */
function ownUnderAnyPrefix(queue: string): boolean {
  const words = queue.replace(/\.lock$/, '').split('.');
  const prefix = words.slice(0, -1).join('.');
  return (
    new Names(prefix).isOwnQueue(queue) ||
    /\.control\./.test(queue) ||
    /\.delay\.(\d+\.|lost$|sink$)/.test(queue)
  );
}

/** What is said of a queue that the broker does not have. */
export const missingQueue = (queue: string, { name }: Broker): UsageError =>
  new UsageError(
    `there is no queue '${queue}' on ${name}`,
    'hopline status lists the queues of an application',
  );

function ownQueue(queue: string, isSaid: boolean): UsageError {
  const work = workQueueOf(queue);
  if (work !== queue)
    return new UsageError(
      `'${queue}' holds dead letters`,
      `hopline failed --queue ${work} lists them, and hopline failed flush --queue ${work} deletes them`,
    );
  return new UsageError(
    `'${queue}' is ${isSaid ? 'a queue' : 'named as a queue'} of Hopline's own: what lies there is none of your messages`,
    isSaid
      ? 'Name a work queue; hopline status lists them'
      : "If it is a work queue of yours, say so with the application's prefix: --prefix hopline, if it has none",
  );
}
