import { MAX_PROCESS_NAME_BYTES } from '../../topology/process-queue.js';
import type { HandlerDefinition, QueueOptions } from './definition.js';
import { kindOf, queueNameOf } from './queue-kinds.js';

/* What `each: 'process'` asks of a handler, and leaves of its queue's options: the queue is the process's own. */

/** Options of a queue that is kept, and that all processes share. */
const OF_KEPT_QUEUES = [
  ...(['name', 'type', 'lanes', 'deliveryLimit', 'maxPriority'] as const),
  ...(['declare', 'arguments', 'singleActiveConsumer'] as const),
];

/** Options by which a message is handled once, wherever: of all processes only one would handle its copy. */
const ONCE_FOR_ALL = ['idempotent', 'inbox', 'unique'] as const;

/** What is left of the options of a queue for each process. */
export function optionsOfEach(said: QueueOptions): QueueOptions {
  const dropped: readonly string[] = OF_KEPT_QUEUES;
  const left = Object.entries(said).filter(([name]) => !dropped.includes(name));
  return { ...Object.fromEntries(left), type: 'classic' };
}

/** Problems of the handlers with `each: 'process'`, as sentences. */
export function eachProcessProblems(
  definitions: readonly HandlerDefinition[],
  groups: ReadonlyMap<string, readonly HandlerDefinition[]>,
  service: string,
): string[] {
  const each = definitions.filter((definition) => kindOf(definition) === 'process');
  const others = definitions.filter((definition) => kindOf(definition) !== 'process');
  const classes = new Set(others.flatMap(({ queue }) => queue.ownName ?? []));
  return [
    ...each.flatMap((definition) => [
      ...optionsWithoutUse(definition, classes.has(definition.queue.ownName ?? '')),
      ...nameProblems(definition, service),
    ]),
    ...queuesOfTwoKinds(groups),
  ];
}

/** @param isShared true if the queue's options are those of other handlers of its class as well, whose queue they mean */
function optionsWithoutUse({ name, queue, options }: HandlerDefinition, isShared: boolean): string[] {
  const problems = ONCE_FOR_ALL.filter((option) => options[option] !== undefined).map(
    (option) =>
      `${option} has no place beside each: 'process': it has a message handled once for all processes, so all but one would skip their copy`,
  );
  if (!isShared)
    for (const option of OF_KEPT_QUEUES.filter((each) => queue[each] !== undefined))
      problems.push(
        `queue.${option} has no place beside each: 'process', whose queues are made by each process for itself${option === 'name' ? ' and called after the handler' : ''}: leave it out`,
      );
  return problems.map((problem) => `${name}: ${problem}`);
}

function nameProblems(definition: HandlerDefinition, service: string): string[] {
  const queue = queueNameOf(definition, service);
  const { name } = definition;
  if (/[*#]/.test(name))
    return [
      `${name}: with each: 'process' its queues are called after it, and a pattern is no name: give the handler one, with the option name, or a named function`,
    ];
  const bytes = Buffer.byteLength(queue);
  if (bytes <= MAX_PROCESS_NAME_BYTES) return [];
  return [
    `${name}: with each: 'process' its queues are called after it, and '${queue.slice(0, 40)}…' is ${bytes} bytes long, ${MAX_PROCESS_NAME_BYTES} are left beside the word of each process: give the handler a shorter name`,
  ];
}

function queuesOfTwoKinds(groups: ReadonlyMap<string, readonly HandlerDefinition[]>): string[] {
  return [...groups].flatMap(([queue, group]) => {
    const each = group.find((definition) => kindOf(definition) === 'process');
    const other = group.find((definition) => kindOf(definition) !== 'process');
    if (!each || !other) return [];
    return [
      `queue '${queue}' would be that of ${each.name}, for each process, and that of ${other.name}, for all of them: give ${each.name} another name or a class of its own, or the other one's queue a name`,
    ];
  });
}
