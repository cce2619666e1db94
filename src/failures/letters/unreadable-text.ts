import { workQueueOf } from '../../topology/names.js';
import type { UnreadableLetter } from './unreadable.js';

/** The warning about dead letters that can't be read, with the commands that move or delete them. */
export function unreadableText({ deadQueue, count, waiting }: UnreadableLetter): {
  readonly message: string;
  readonly help: string;
} {
  const one = count === 1;
  const pattern = `^${deadQueue.replaceAll('.', '\\.')}$`;
  const policy = `{"max-length":${waiting - count},"dead-letter-exchange":"","dead-letter-routing-key":"QUEUE"}`;
  const message = one
    ? `a letter in ${deadQueue} ends each connection over which it is delivered: it can't be read, and lies first now; all others were dealt with as usual`
    : `${count} letters in ${deadQueue} end each connection over which they are delivered: they can't be read, and lie first now; all others were dealt with as usual`;
  const help =
    `While ${waiting} lie there, this moves ${one ? 'it alone' : 'them alone'} into another queue, inside the broker: rabbitmqctl set_policy move-head '${pattern}' '${policy}' --apply-to queues --priority 1000, and then rabbitmqctl clear_policy move-head. ` +
    `This deletes all: hopline failed flush --queue ${workQueueOf(deadQueue)}`;
  return { message, help };
}
