import { OptionsError } from '../errors.js';
import { deadQueueOf } from '../topology/names.js';
import type { QueueState } from '../transport/operator-session.js';
import type { Session } from '../transport/transport.js';
import type { ControlAnswer } from './answer.js';
import { stateInProcesses } from './queue-report.js';

/**
 * State of a queue that an operator has named: in the broker, or of those that processes have for themselves under this name.
 *
 * @param statuses asks all processes for their status
 * @throws OptionsError if there is none
 */
export async function existingQueue(
  session: Pick<Session, 'inspect'>,
  queue: string,
  statuses: () => Promise<readonly ControlAnswer[]>,
): Promise<QueueState> {
  const state = await session.inspect(queue);
  if (state) return state;
  // Where each process has a queue of its own, all have one for their dead letters. It stays when the handler has gone.
  const mayBeOfProcesses = (await session.inspect(deadQueueOf(queue))) !== undefined;
  const processes = mayBeOfProcesses ? (await statuses()).flatMap(({ status }) => status ?? []) : [];
  if (stateInProcesses(queue, processes)) return { ready: 0, consumers: 0 };
  throw new OptionsError('queue', [
    mayBeOfProcesses
      ? `there is no queue '${queue}' in the broker any more, only its dead letters, and no process has answered that has one of this name for itself: use a name that \`hopline status\` prints`
      : `there is no queue '${queue}' in the broker: use a name that \`hopline topology show\` or \`hopline status\` prints`,
  ]);
}
