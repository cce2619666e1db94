import type { BusDescription, QueueDescription } from '../../consume/handlers/bus-description.js';
import type { Arguments } from '../../message/exchange-option.js';
import type { BindingOption } from '../../message/routing/binding-option.js';
import { isKept } from '../../topology/bus-topology.js';
import { deadQueueOf, guardsQueueOf, Names } from '../../topology/names.js';

interface Branch {
  readonly text: string;
  readonly branches?: readonly Branch[];
}

/**
 * The topology that an application wants in the broker, as the lines of a tree: exchanges, queues, and the
 * handlers of each pattern.
 */
export function topologyTree(application: BusDescription): string[] {
  const { service, exchange, queues, plan, prefix, delayPrefix, operatorControl } = application;
  const names = new Names(prefix, delayPrefix);
  const exchanges = plan.exchanges.map(({ name, type, arguments: its, verifyOnly }) => ({
    text: `exchange ${name} (${type}${verifyOnly ? ', of someone else' : ''})${argumentsText(its)}`,
  }));
  const branches: Branch[] = [
    { text: `publishes to ${exchange}` },
    ...exchanges,
    ...queues.map((queue) =>
      queueBranch(
        queue,
        names,
        plan.queues.some(({ name, verifyOnly }) => name === queue.name && verifyOnly),
      ),
    ),
    ...plan.queues
      .filter(({ name }) => name === guardsQueueOf(service))
      .map(({ name }) => ({ text: `queue ${name}, of guards that go round while their jobs run` })),
    ...(operatorControl
      ? [{ text: `hears operators through ${names.control}, and keeps what is paused in ${names.paused}` }]
      : []),
    { text: `delays ${names.delay}.*, shared by all applications of the vhost` },
  ];
  return [`service ${service}`, ...linesOf(branches)];
}

function queueBranch(queue: QueueDescription, names: Names, isForeign: boolean): Branch {
  const { name, kind: what, lanes, type, deliveryLimit, maxPriority, bindings } = queue;
  const limit = type === 'quorum' ? `, delivery limit ${deliveryLimit}` : '';
  const own = `${type}${limit}${maxPriority === undefined ? '' : `, priorities up to ${maxPriority}`}`;
  const kind = isForeign ? 'of someone else' : own;
  const laneBranch = { text: `lanes ${lanes.map((lane) => `${lane.name} (${lane.queue})`).join(', ')}` };
  const widest = Math.max(...bindings.map(({ pattern }) => pattern.length));
  const patterns = bindings.map(({ pattern, exchange, type: of, binding, handler }) => ({
    text: isForeign
      ? `${pattern.padEnd(widest)}  → ${handler}`
      : `${pattern.padEnd(widest)}  of ${exchange}${of === 'topic' ? '' : ` (${of})`} → ${handler}${boundText(binding)}`,
  }));
  return {
    text:
      what === 'process'
        ? `queues ${name}.<word>, one of each process, gone with it`
        : `queue ${name} (${kind})`,
    branches: [
      ...(lanes.length > 1 ? [laneBranch] : []),
      ...patterns,
      isKept(queue)
        ? { text: `dead letters through ${names.dead} → ${deadQueueOf(name)}` }
        : { text: 'requests, which are not kept: the queue goes with its last consumer' },
    ],
  };
}

const argumentsText = (its: Arguments | undefined): string => (its ? `, ${JSON.stringify(its)}` : '');

/** How the exchange is asked, where that is not by the pattern. */
function boundText(binding: BindingOption | undefined): string {
  if (!binding) return '';
  const { key, arguments: its } = binding;
  return `${key === undefined ? '' : `, bound with '${key}'`}${argumentsText(its)}`;
}

function linesOf(branches: readonly Branch[], indent = ''): string[] {
  return branches.flatMap(({ text, branches: below = [] }, index) => {
    const isLast = index === branches.length - 1;
    return [
      `${indent}${isLast ? '└─ ' : '├─ '}${text}`,
      ...linesOf(below, `${indent}${isLast ? '   ' : '│  '}`),
    ];
  });
}
