import type { Command } from 'commander';
import { Management } from '../../oversight/management/management.js';
import { type Broker, holdsPassword } from '../broker/broker.js';
import { UsageError } from '../usage-error.js';

/** Flags of the management API's address. */
export interface ManagementFlags {
  readonly management?: string;
}

export function withManagement(command: Command): Command {
  return command.option(
    '--management <url>',
    "address of the management API, without a password; else MANAGEMENT_URL, else port 15672 of the broker's host",
  );
}

/** Where a management API is, with user and password. */
export interface ManagementAddress {
  readonly url: string;
  readonly vhost: string;
}

/**
 * The management API of a broker. Its user is the broker's, unless MANAGEMENT_URL names another.
 *
 * @throws UsageError
 */
export function managementOf(flags: ManagementFlags, broker: Broker, env: NodeJS.ProcessEnv): Management {
  const { url, vhost } = managementAddressOf(flags, broker, env);
  return new Management(url, vhost);
}

/** Its address. @throws UsageError */
export function managementAddressOf(
  { management }: ManagementFlags,
  { url }: Pick<Broker, 'url'>,
  env: NodeJS.ProcessEnv,
): ManagementAddress {
  if (management !== undefined && holdsPassword(management))
    throw new UsageError(
      '--management holds a password, which everybody on this machine can read in the list of processes',
      "Leave it out: the user of the broker's address is used; or set MANAGEMENT_URL",
    );
  const given = management ?? env.MANAGEMENT_URL;
  const broker = new URL(url);
  const address = given ?? usualAddress(broker);
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new UsageError(
      'the address of the management API is not http://… or https://…',
      'As in http://rabbit:15672',
    );
  const api = new URL(address);
  if (api.username === '') {
    api.username = broker.username || 'guest';
    api.password = broker.password || 'guest';
  }
  return { url: api.href, vhost: decodeURIComponent(broker.pathname.slice(1)) || '/' };
}

/**
 * The plugin's default address: https for amqps, so that credentials that go to the broker encrypted don't go
 * here in the clear.
 */
function usualAddress({ protocol, hostname }: URL): string {
  return protocol === 'amqps:' ? `https://${hostname}:15671` : `http://${hostname}:15672`;
}
