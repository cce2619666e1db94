import type { BusDescription } from '../../consume/handlers/bus-description.js';
import { Names } from '../../topology/names.js';
import {
  escaped,
  type Occasion,
  type Permissions,
  permissionsOf,
  type ServicePlan,
  type TopicPermissions,
  topicPermissionsOf,
} from '../../topology/rights.js';
import { oneLine } from '../output/text.js';

/**
 * Occasions and the rights that suffice for them; the narrowest first, so that running all lines ends with
 * rights that always suffice.
 */
export const OCCASIONS: Readonly<Record<Occasion, string>> = {
  verify: "runs with topology: 'verify' or 'none', when somebody else declares its queues",
  declare: 'declares its own queues; exchanges and delays are there',
  first: 'its first start in a vhost, which declares the exchanges and the delays, too',
};

/** Options of the user that gets the rights. */
export interface UserOptions {
  /** @default the service's name */
  readonly user?: string;
  readonly vhost: string;
  /** Further exchanges that the application publishes to, which its description does not show. */
  readonly exchange?: readonly string[];
  /** Queues that the application sends to with `sendToQueue()`. */
  readonly queue?: readonly string[];
  readonly occasions: readonly Occasion[];
}

/** All rights of one user of the broker. */
export interface UserRights {
  readonly user: string;
  readonly vhost: string;
  readonly permissions: Readonly<Partial<Record<Occasion, Permissions>>>;
  readonly topicPermissions: readonly TopicPermissions[];
  /**
   * Timeouts that long handlers need from the broker and that Hopline can't set itself; these are no rights.
   */
  readonly consumerTimeouts: readonly ConsumerTimeout[];
}

/** Time for which the broker has to let consumers of a queue, and of its lanes, keep a message. */
export interface ConsumerTimeout {
  readonly queue: string;
  /** Regular expression that matches the queues' names in the broker. */
  readonly pattern: string;
  readonly ms: number;
}

/**
 * A user for each service; services that share one get their rights together, since the broker keeps only the
 * rights set last.
 */
export function usersOf(
  described: readonly BusDescription[],
  { user, vhost, exchange = [], queue = [], occasions }: UserOptions,
): UserRights[] {
  const plans = new Map<string, ServicePlan[]>();
  const timeouts = new Map<string, ConsumerTimeout[]>();
  for (const bus of described) {
    const name = user ?? bus.service;
    const { prefix, delayPrefix, plan } = bus;
    const service = {
      names: new Names(prefix, delayPrefix),
      plan,
      operatorControl: bus.operatorControl,
      publishesTo: [...new Set([bus.exchange, ...exchange])],
      sendsTo: queue,
    };
    plans.set(name, [...(plans.get(name) ?? []), service]);
    timeouts.set(name, [...(timeouts.get(name) ?? []), ...timeoutsOf(bus)]);
  }
  return [...plans].map(([name, services]) => ({
    user: name,
    vhost,
    permissions: Object.fromEntries(occasions.map((each) => [each, permissionsOf(services, each)])),
    topicPermissions: topicPermissionsOf(services),
    consumerTimeouts: timeouts.get(name) ?? [],
  }));
}

function timeoutsOf({ queues }: BusDescription): ConsumerTimeout[] {
  return queues.flatMap(({ name: queue, lanes, keptForMs: ms }) =>
    ms === undefined
      ? []
      : [{ queue, pattern: `^(${lanes.map((lane) => escaped(lane.queue)).join('|')})$`, ms }],
  );
}

/** Shell commands that set the rights, each group with a comment on its purpose. */
export function permissionLines({
  user,
  vhost,
  permissions,
  topicPermissions,
  consumerTimeouts,
}: UserRights): string[] {
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
    ...policyLines(vhost, consumerTimeouts),
  ];
}

/**
 * Policies for consumers' timeouts. On RabbitMQ 4.3 the consumer sets the timeout itself; before 3.12 only
 * the broker's configuration counts.
 */
function policyLines(vhost: string, timeouts: readonly ConsumerTimeout[]): string[] {
  if (timeouts.length === 0) return [];
  return [
    '# on RabbitMQ 3.12 to 4.2: handlers that keep a message for longer than the 30 minutes that the broker allows. Only one policy counts for a queue: where there is one already, add the key to that',
    ...timeouts.map(({ queue, pattern, ms }) => {
      const name = `${queue}.consumer-timeout`;
      const definition = JSON.stringify({ 'consumer-timeout': ms });
      return command('set_policy', '-p', vhost, '--apply-to', 'queues', name, pattern, definition);
    }),
  ];
}

const command = (...words: readonly string[]): string => `rabbitmqctl ${words.map(quoted).join(' ')}`;

/** Quotes a word for a POSIX shell. */
const quoted = (word: string): string =>
  /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
