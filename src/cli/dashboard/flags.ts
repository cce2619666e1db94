import type { Command } from 'commander';
import type { DashboardAuth } from '../../dashboard/index.js';
import { type BrokerFlags, withBroker } from '../broker/broker.js';
import type { KeysFlags } from '../broker/keys.js';
import { collect } from '../broker/target.js';
import { type ManagementFlags, withManagement } from '../doctor/management-flags.js';
import { type StoreFlags, withStores } from '../stores/shared-stores.js';
import { UsageError } from '../usage-error.js';

export interface DashboardFlags extends BrokerFlags, KeysFlags, ManagementFlags, StoreFlags {
  readonly app?: string;
  readonly prefix?: string;
  readonly delayPrefix?: string;
  readonly queue?: readonly string[];
  readonly errorQueue?: readonly string[];
  readonly vhost?: readonly string[];
  readonly name?: string;
  readonly port: string;
  readonly host: string;
  readonly path?: string;
  readonly auth?: string;
  readonly authHeader?: string;
  readonly authFrom?: readonly string[];
  readonly allowActions?: boolean;
  readonly allowedHost?: readonly string[];
  readonly prometheus?: string;
  readonly traceLink?: string;
  readonly logLink?: string;
  readonly redact?: readonly string[];
}

export function withDashboard(command: Command): Command {
  withManagement(withBroker(command))
    .option('--app <file>', 'module that exports the bus (or hopline.app in package.json); it is not started')
    .option('--prefix <name>', "the application's prefix, if it has one")
    .option('--delay-prefix <name>', "the application's delayPrefix, if it has one")
    .option('--queue <name>', 'queue to show even if no worker tells of it; may be repeated', collect)
    .option(
      '--error-queue <name>',
      "others' queue of dead letters, to show as well; may be repeated",
      collect,
    )
    .option('--vhost <name>', "vhost, in place of the address's; may be repeated: each is shown", collect)
    .option('--name <text>', 'what pages call the application');
  serving(command);
  return withStores(command).option(
    '--keys <file>',
    'file with the keys of encrypted bodies as JSON; without it they stay closed',
  );
}

function serving(command: Command): void {
  command
    .option('--port <number>', 'where it listens', '7700')
    .option('--host <address>', 'where it listens; another than 127.0.0.1 needs --auth', '127.0.0.1')
    .option('--path <path>', 'where a proxy has it: /ops')
    .option('--auth <file>', 'file of users, with lines that hopline dashboard user prints')
    .option('--auth-header <name>', 'header in which a proxy tells who the user is')
    .option(
      '--auth-from <address>',
      'address of that proxy, as 10.0.0.0/8; may be repeated; else this machine',
      collect,
    )
    .option('--allow-actions', 'allow retry, forget, pause and what else changes anything')
    .option('--allowed-host <name>', 'name under which it is reached; may be repeated', collect)
    .option('--prometheus <url>', 'for figures older than an hour')
    .option('--trace-link <url>', 'link from a message to its trace, with {traceId}')
    .option('--log-link <url>', 'link from a message to its logs, with {messageId}')
    .option(
      '--redact <name>',
      'further field or header whose value is not shown, beside password, token and the like; may be repeated',
      collect,
    );
}

/** Who gets in. @throws UsageError */
export function authOf({ auth, authHeader, authFrom }: DashboardFlags): DashboardAuth | undefined {
  if (auth !== undefined && authHeader !== undefined)
    throw new UsageError('both --auth and --auth-header are given', 'Give one of them');
  if (authFrom && authHeader === undefined)
    throw new UsageError('--auth-from is given without --auth-header', 'Name the header of the proxy, too');
  if (auth !== undefined) return { users: auth };
  if (authHeader === undefined) return undefined;
  return { proxy: { header: authHeader, ...(authFrom ? { from: authFrom } : {}) } };
}
