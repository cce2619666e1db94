import { type Arguments, isArguments } from '../../message/exchange-option.js';
import { argumentProblems } from '../../topology/queue-arguments.js';
import type { HandlerDefinition, QueueOptions } from './definition.js';
import { kindOf } from './queue-kinds.js';

/* What is said about a queue as the broker has it: who declares it, with which arguments, and how many consumers it serves. */

const SINGLE = 'x-single-active-consumer';

export const isSingleActive = ({ singleActiveConsumer, arguments: its }: QueueOptions): boolean =>
  singleActiveConsumer === true || its?.[SINGLE] === true;

/** The arguments that a queue is declared with beside Hopline's own; undefined for none. */
export function argumentsOf(options: QueueOptions): Arguments | undefined {
  const { declare = true, singleActiveConsumer, arguments: its } = options;
  if (!declare || singleActiveConsumer !== true) return its;
  return { ...its, [SINGLE]: true };
}

/** Options that are the owner's, of a queue that belongs to someone else. */
const OF_THE_OWNER = ['type', 'exchange', 'arguments', 'deliveryLimit', 'maxPriority', 'lanes'] as const;

/** Problems of what the handlers of a queue say together. */
export function brokerQueueProblems(queue: string, group: readonly HandlerDefinition[]): string[] {
  const said = Object.assign({}, ...group.map((definition) => definition.queue)) as QueueOptions;
  if (kindOf(group[0] as HandlerDefinition) === 'process') return [];
  const problems = said.declare === false ? ofSomeoneElse(said, group) : argumentsSaid(said, group);
  if (isSingleActive(said) && said.lanes !== undefined)
    problems.push('has a single active consumer, whose order lanes would break: leave one of them out');
  return problems.map((problem) => `queue '${queue}' ${problem}`);
}

function ofSomeoneElse(said: QueueOptions, group: readonly HandlerDefinition[]): string[] {
  const problems = OF_THE_OWNER.filter((option) => said[option] !== undefined).map(
    (option) =>
      `belongs to someone else (declare: false), who decides its ${option}: leave queue.${option} out`,
  );
  if (said.name === undefined)
    problems.push('belongs to someone else (declare: false), and has no name: say which queue it is');
  const responder = group.find(({ answers }) => answers !== undefined);
  if (responder)
    problems.push(
      `would be that of the requests to ${responder.name}, which is made by who answers them: leave declare: false out`,
    );
  for (const { name, options } of group)
    for (const option of ['exchange', 'binding'] as const)
      if (options[option] !== undefined)
        problems.push(
          `belongs to someone else (declare: false), who binds it: leave the ${option} of ${name} out`,
        );
  return problems;
}

function argumentsSaid(said: QueueOptions, group: readonly HandlerDefinition[]): string[] {
  const { singleActiveConsumer, type } = said;
  // What is no table is a problem of its handler's own.
  const its = isArguments(said.arguments) ? said.arguments : {};
  const responder = group.find(({ answers }) => answers !== undefined);
  const problems = argumentProblems(type ?? (responder ? 'classic' : 'quorum'), its);
  if (singleActiveConsumer !== undefined && its[SINGLE] !== undefined && its[SINGLE] !== singleActiveConsumer)
    problems.push(
      `has singleActiveConsumer: ${singleActiveConsumer}, and the argument '${SINGLE}' with ${its[SINGLE]}: leave one of them out`,
    );
  if (responder && its['x-expires'] !== undefined)
    problems.push("has the argument 'x-expires', which Hopline sets itself on a queue of requests");
  return problems;
}
