import type { BusDescription } from '../../consume/handlers/bus-description.js';
import type { DashboardApplication } from '../../dashboard/index.js';
import { Management } from '../../oversight/management/management.js';
import { isKept } from '../../topology/bus-topology.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { appOfPackage, describeApplication } from '../application.js';
import { type Broker, brokerOf } from '../broker/broker.js';
import { keysOf } from '../broker/keys.js';
import { sharedPrefix } from '../broker/target.js';
import { type ManagementAddress, managementAddressOf } from '../doctor/management-flags.js';
import type { DashboardFlags } from './flags.js';

/** The applications that the flags name: one for each vhost. @throws UsageError, OptionsError */
export async function applicationsOf(
  flags: DashboardFlags,
  env: NodeJS.ProcessEnv,
  stores: DashboardApplication['stores'],
): Promise<readonly DashboardApplication[]> {
  const broker = brokerOf(flags, env);
  const path = flags.app ?? (flags.prefix === undefined ? appOfPackage(process.cwd()) : undefined);
  const buses = path === undefined ? [] : await describeApplication(path, broker.url);
  const brokers = flags.vhost?.map((vhost) => brokerOfVhost(broker, vhost)) ?? [broker];
  const shared = sharedOf(flags, buses);
  return await Promise.all(
    brokers.map(async (each, index) => {
      const management = await managementFor(flags, each, env);
      const name = brokers.length > 1 ? flags.vhost?.[index] : flags.name;
      return {
        ...shared,
        transport: rabbitmq(each.options),
        broker: each.name,
        ...(name === undefined ? {} : { name }),
        ...(management ? { management } : {}),
        ...(stores ? { stores } : {}),
      };
    }),
  );
}

/** What is the same in each vhost. */
function sharedOf(
  flags: DashboardFlags,
  buses: readonly BusDescription[],
): Omit<DashboardApplication, 'transport'> {
  const prefix = flags.prefix ?? sharedPrefix(buses);
  const delayPrefix = flags.delayPrefix ?? buses[0]?.delayPrefix;
  const own = buses.flatMap(({ queues }) => queues.filter(isKept).map(({ name }) => name));
  // Not from the environment: whoever may look would read what the application seals, and nobody would have asked for it.
  const keys = keysOf(flags, {});
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(delayPrefix === undefined ? {} : { delayPrefix }),
    queues: [...new Set([...(flags.queue ?? []), ...own])],
    ...(flags.errorQueue ? { deadLetters: flags.errorQueue } : {}),
    ...(keys ? { encryption: { keys } } : {}),
  };
}

function brokerOfVhost(broker: Broker, vhost: string): Broker {
  const url = new URL(broker.url);
  url.pathname = `/${encodeURIComponent(vhost)}`;
  return {
    url: url.href,
    name: broker.name.replace(/vhost '.*'$/s, () => `vhost '${vhost}'`),
    options: { ...broker.options, url: url.href },
  };
}

/** The one that is named; else the one at the usual address, if it answers there. @throws UsageError */
async function managementFor(
  flags: DashboardFlags,
  broker: Broker,
  env: NodeJS.ProcessEnv,
): Promise<ManagementAddress | undefined> {
  const address = managementAddressOf(flags, broker, env);
  if (flags.management !== undefined || env.MANAGEMENT_URL !== undefined) return address;
  const isThere = await new Management(address.url, address.vhost).nodes().then(
    () => true,
    () => false,
  );
  return isThere ? address : undefined;
}
