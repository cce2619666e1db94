import { lettersText } from '../../failures/letters/letters-text.js';
import { logicalNameOf } from '../../topology/generations.js';
import type { TopologyPlan } from '../../topology/plan.js';
import { isCompared } from '../../topology/queue-arguments.js';
import { countText } from '../../util/text/count-text.js';
import { askedText, bindingIdentity } from '../management/binding-identity.js';
import { different } from '../management/different.js';
import type { ManagedBinding, ManagedQueue } from '../management/managed.js';
import type { Facts, ManagementFacts, Policy } from './facts.js';
import type { Finding } from './finding.js';

/** The checks that need the management API. */
export function managementChecks(facts: Facts): Finding[] {
  const { management, whyNoManagement } = facts;
  if (!management)
    return [
      {
        severity: 'unknown',
        check: 'management',
        message: `members, policies, left-over bindings and left-over queues were not looked at: ${whyNoManagement ?? 'the management API was not asked'}`,
        help: 'Enable the plugin rabbitmq_management, or name its address with --management.',
      },
    ];
  return [
    ...nodes(management),
    ...differences(facts, management),
    ...members(facts, management),
    ...policies(facts, management),
    ...leftOver(facts, management),
    ...leftOverQueues(facts),
    ...deadLetterWorker(facts, management),
  ];
}

function nodes({ nodes: all }: ManagementFacts): Finding[] {
  const check = 'nodes';
  const down = all
    .filter(({ running }) => !running)
    .map(
      ({ name }): Finding => ({
        severity: 'error',
        check,
        message: `node ${name} is down`,
        help: 'Start it, or take it out of the cluster: while it is away every quorum queue has one copy less.',
      }),
    );
  const split = all
    .filter(({ partitions }) => partitions.length > 0)
    .map(
      ({ name, partitions }): Finding => ({
        severity: 'error',
        check,
        message: `node ${name} does not see ${partitions.join(', ')}`,
        help: 'Mend the network, and restart the nodes of the smaller side.',
      }),
    );
  return [...down, ...split];
}

/**
 * Compares the queues' arguments with the declared ones: they can't be changed, and a passive declaration
 * does not compare them.
 */
function differences({ application, broker }: Facts, { queues }: ManagementFacts): Finding[] {
  const byName = new Map(queues.map((queue) => [queue.name, queue]));
  return (application?.plan.queues ?? []).flatMap((queue): Finding[] => {
    const found = byName.get(queue.name);
    if (!found || queue.verifyOnly) return [];
    const { name, migrated, arguments: its } = queue;
    // A queue that was declared without a type has the vhost's default one: the broker takes it for declared with it.
    const there = { ...found.arguments, 'x-queue-type': found.type };
    const other = different(there, migrated?.arguments ?? its);
    if (other.length === 0) return [];
    const isRefused = !migrated && other.some(({ what }) => isCompared(what, broker));
    const shown = other.map(
      ({ what, is = 'not set', wanted = 'not set' }) => `${what} is ${is}, wanted ${wanted}`,
    );
    return [
      {
        severity: isRefused ? 'error' : 'warning',
        check: 'topology',
        message: `queue '${name}' has other arguments: ${shown.join('; ')}`,
        help: isRefused ? REFUSED : usedHelp(migrated?.name),
      },
    ];
  });
}

const REFUSED =
  'The service will not start. Change its options back, use another name, or delete the queue once it is empty.';

/** @param migrated the queue that was migrated to it; undefined if the broker doesn't compare what differs */
const usedHelp = (migrated: string | undefined): string =>
  migrated === undefined
    ? 'The broker compares none of them, and leaves the queue as it is. hopline topology migrate makes one that has them.'
    : `Queue '${migrated}' was migrated, and is used as it is: deploy the options that it was migrated to.`;

function wantedQueues({ application, queues }: Facts, { queues: all }: ManagementFacts): ManagedQueue[] {
  if (!application) return all.filter(({ name }) => queues.has(logicalNameOf(name)));
  const names = new Set(application.plan.queues.map(({ name }) => name));
  return all.filter(({ name }) => names.has(name));
}

function members(facts: Facts, management: ManagementFacts): Finding[] {
  const running = management.nodes.filter((node) => node.running).length;
  // At most three copies are expected, the broker's own default: nobody would ask for five on seven nodes.
  const expected = Math.min(management.nodes.length, 3);
  return wantedQueues(facts, management).flatMap(({ name, type, members: holders, online }): Finding[] => {
    if (type !== 'quorum') return [];
    if (holders.length < expected)
      return [
        {
          severity: 'warning',
          check: 'members',
          message: `quorum queue '${name}' has ${holders.length} of ${expected} copies`,
          help: `rabbitmq-queues grow <node> all --queue-pattern '^${name}$' adds one on a node.`,
        },
      ];
    if (online.length < holders.length && running === management.nodes.length)
      return [
        {
          severity: 'warning',
          check: 'members',
          message: `quorum queue '${name}' has ${holders.length} copies, ${online.length} of them online`,
          help: "Look at the node that holds the missing one: its log, its disk, its 'rabbitmq-queues check_if_node_is_quorum_critical'.",
        },
      ];
    return [];
  });
}

/** Policy keys that are harmful to a work queue: each takes messages away without the handlers' knowledge. */
const HARMFUL = [
  'message-ttl',
  'expires',
  'max-length',
  'max-length-bytes',
  'delivery-limit',
  'dead-letter-exchange',
];

function policies(facts: Facts, management: ManagementFacts): Finding[] {
  const ours = wantedQueues(facts, management).map(({ name }) => name);
  return management.policies.flatMap((policy): Finding[] => {
    const harmful = HARMFUL.filter((key) => key in policy.definition);
    const reached =
      harmful.length > 0 && policy.appliesTo !== 'exchanges' ? ours.filter(reachedBy(policy)) : [];
    if (reached.length === 0) return [];
    const [first] = reached;
    const others = reached.length > 1 ? ` and ${reached.length - 1} more` : '';
    return [
      {
        severity: 'warning',
        check: 'policies',
        message: `${policy.kind} '${policy.name}' sets ${harmful.join(', ')} on queue '${first}'${others}`,
        help: 'It can drop or move messages that no handler has seen. Narrow its pattern.',
      },
    ];
  });
}

function reachedBy({ pattern }: Policy): (name: string) => boolean {
  try {
    const expression = new RegExp(pattern);
    return (name) => expression.test(name);
  } catch {
    // Erlang's regular expressions have more syntax than JavaScript's; a warning too many is better than one
    // too few.
    return () => true;
  }
}

function leftOver(facts: Facts, { bindings }: ManagementFacts): Finding[] {
  const stale = leftOverBindings(facts.application, bindings);
  return stale.map((binding) => ({
    severity: 'warning',
    check: 'bindings',
    message: `queue '${binding.destination}' is bound to ${askedText(binding)} of exchange '${binding.source}', which no handler takes`,
    help: 'Its messages are dead-lettered as no-handler. hopline topology prune unbinds it.',
  }));
}

const UNLESS = 'Unless another service has it:';

function leftOverQueues({ leftOver: found }: Facts): Finding[] {
  const check = 'left-over queues';
  return found.map(({ name, kind, of, ready, isBound }): Finding => {
    const severity = ready > 0 ? 'error' : 'warning';
    if (kind === 'dead' && ready > 0)
      return {
        severity,
        check,
        message: `${lettersText(ready)} in '${name}', whose queue '${of}' is gone`,
        help: `hopline failed --queue ${of} shows them; hopline failed retry --queue ${of} --all --republish sends them to who takes them now. hopline topology prune removes it once it is empty.`,
      };
    if (kind !== 'work')
      return {
        severity,
        check,
        message: `queue '${name}' is left over: its queue '${of}' is gone`,
        help: `${UNLESS} hopline topology prune removes it once it is empty.`,
      };
    const fills = isBound ? 'is bound, and fills' : 'is left over';
    const waiting = `${countText(ready, 'message')} wait${ready === 1 ? 's' : ''} in it`;
    return {
      severity,
      check,
      message: `queue '${name}' ${fills}: the application does not declare it, and nobody consumes it; ${waiting}`,
      help: `${UNLESS} hopline topology prune moves what lies in it to the queue that has its patterns now, and removes it. A class was renamed, or a bundler calls it otherwise: @Queue({ name }) keeps its queue.`,
    };
  });
}

/**
 * Bindings of the application's queues that the application does not declare: left by an older version, or
 * made by hand.
 */
export function leftOverBindings(
  application: { readonly plan: TopologyPlan } | undefined,
  bindings: readonly ManagedBinding[],
): ManagedBinding[] {
  if (!application) return [];
  const { plan } = application;
  const wanted = new Set(plan.bindings.map(bindingIdentity));
  // Who owns a queue binds it.
  const ours = new Set(plan.queues.filter(({ verifyOnly }) => !verifyOnly).map(({ name }) => name));
  return bindings.filter(
    (binding) =>
      // The binding to the default exchange belongs to the queue itself and can't be undone.
      binding.source !== '' &&
      binding.destinationType === 'queue' &&
      ours.has(binding.destination) &&
      !wanted.has(bindingIdentity(binding)),
  );
}

function deadLetterWorker({ broker }: Facts, { nodes: all }: ManagementFacts): Finding[] {
  if (all.length < 2 || !/^3\./.test(broker.version)) return [];
  return [
    {
      severity: 'unknown',
      check: 'dead-letter worker',
      message: 'whether dead_letter_worker_publisher_confirm_timeout is set can not be seen from here',
      help: 'On a 3.x cluster set it to 10000 in advanced.config: its 180 s hold delayed messages up when a node dies.',
    },
  ];
}
