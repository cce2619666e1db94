import type { BusDescription } from '../../consume/describe.js';
import { Names } from '../../topology/names.js';
import {
  type Occasion,
  type Permissions,
  permissionsOf,
  type ServicePlan,
  type TopicPermissions,
  topicPermissionsOf,
} from '../../topology/rights.js';
import { oneLine } from '../text.js';

/** When which rights are enough; the narrowest first, so that running all lines ends with what always suffices. */
export const OCCASIONS: Readonly<Record<Occasion, string>> = {
  verify: "runs with topology: 'verify' or 'none', when somebody else declares its queues",
  declare: 'declares its own queues; exchanges and delays are there',
  first: 'its first start in a vhost, which declares the exchanges and the delays, too',
};

/** Whom the rights are for, and what more it does than can be read from the application. */
export interface UserOptions {
  /** @default the service's name */
  readonly user?: string;
  readonly vhost: string;
  /** Other exchanges that it publishes to. */
  readonly exchange?: readonly string[];
  readonly occasions: readonly Occasion[];
}

/** All rights of one user of the broker. */
export interface UserRights {
  readonly user: string;
  readonly vhost: string;
  readonly permissions: Readonly<Partial<Record<Occasion, Permissions>>>;
  readonly topicPermissions: readonly TopicPermissions[];
}

/** A user for each service; services that share one get their rights together, since the broker keeps the last only. */
export function usersOf(
  described: readonly BusDescription[],
  { user, vhost, exchange = [], occasions }: UserOptions,
): UserRights[] {
  const plans = new Map<string, ServicePlan[]>();
  for (const bus of described) {
    const name = user ?? bus.service;
    const { prefix, delayPrefix, plan } = bus;
    const service = {
      names: new Names(prefix, delayPrefix),
      plan,
      hears: bus.hears,
      publishesTo: [...new Set([bus.exchange, ...exchange])],
    };
    plans.set(name, [...(plans.get(name) ?? []), service]);
  }
  return [...plans].map(([name, services]) => ({
    user: name,
    vhost,
    permissions: Object.fromEntries(occasions.map((each) => [each, permissionsOf(services, each)])),
    topicPermissions: topicPermissionsOf(services),
  }));
}

/** As commands for a shell, with a line before each group that says what it is for. */
export function permissionLines({ user, vhost, permissions, topicPermissions }: UserRights): string[] {
  const wanted = Object.entries(permissions) as [Occasion, Permissions][];
  const several = wanted.length > 1 ? ' Each replaces the one before: run the one that you need.' : '';
  return [
    `# ${oneLine(user)} in vhost '${oneLine(vhost)}': configure, write, read.${several}`,
    ...wanted.flatMap(([occasion, { configure, write, read }]) => [
      `# ${occasion}: ${OCCASIONS[occasion]}`,
      command('set_permissions', '-p', vhost, user, configure, write, read),
    ]),
    '# always, once the exchanges are there: no way into, or out of, the queues of other services through the delays',
    ...topicPermissions.map(({ exchange, write, read }) =>
      command('set_topic_permissions', '-p', vhost, user, exchange, write, read),
    ),
  ];
}

const command = (...words: readonly string[]): string => `rabbitmqctl ${words.map(quoted).join(' ')}`;

/** For a POSIX shell. */
const quoted = (word: string): string =>
  /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
