import { TopologyError } from '../../errors.js';
import type { Headers } from '../../message/properties.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import type { FailuresSettings } from '../options.js';

/*
 * A letter says itself where it goes, in headers that its publisher may have written: whoever can publish to a dead-letter queue must not
 * have an operator write into the queues in which Hopline keeps what it believes, nor send its workers orders.
 */

type Settings = Pick<FailuresSettings, 'names' | 'queues'>;
type Named = Pick<DeadLetter, 'id' | 'deadQueue'>;

/** Refuses what no replay may go to. Made for one action: the dead-letter queues are asked for once. */
export class Destinations {
  private readonly deadQueues: ReadonlySet<string>;

  constructor(private readonly settings: Settings) {
    this.deadQueues = new Set(settings.queues());
  }

  /** @throws TopologyError for a queue of Hopline's or of the broker's own, or one of dead letters */
  checkQueue(letter: Named, queue: string): void {
    if (this.isProtected(queue)) throw refused(letter, `queue '${queue}'`);
  }

  /** @throws TopologyError for an exchange of Hopline's own, or where the default exchange would bring it to such a queue */
  checkPublish(letter: Named & Pick<DeadLetter, 'exchange' | 'routingKey' | 'headers'>): void {
    const { exchange, routingKey, headers } = letter;
    if (this.settings.names.isOwnExchange(exchange)) throw refused(letter, `exchange '${exchange}'`);
    if (exchange !== '') return;
    for (const queue of [routingKey, ...copiesIn(headers)]) this.checkQueue(letter, queue);
  }

  /** @throws TopologyError for a queue that holds no dead letters */
  checkRestored(letter: Named, deadQueue: string): void {
    const { names } = this.settings;
    const isDead =
      deadQueue.endsWith('.dead') || deadQueue === names.delayLost || this.deadQueues.has(deadQueue);
    if (!isDead || deadQueue === names.trash || deadQueue.startsWith('amq.'))
      throw notOpened(letter, deadQueue);
  }

  private isProtected(queue: string): boolean {
    return this.settings.names.isOwnQueue(queue) || queue.startsWith('amq.') || this.deadQueues.has(queue);
  }
}

/** Queues to which the broker would send copies of a message. */
const copiesIn = ({ CC }: Headers): string[] =>
  Array.isArray(CC) ? CC.filter((queue) => typeof queue === 'string') : [];

const refused = ({ id, deadQueue }: Named, destination: string): TopologyError =>
  new TopologyError(
    destination,
    `the dead letter '${id}' in '${deadQueue}' names ${destination} as where it failed, and no message of an application goes there`,
    'Its headers are wrong, or forged: find out who has published it, and forget it.',
  );

const notOpened = ({ id, deadQueue }: Named, queue: string): TopologyError =>
  new TopologyError(
    `queue '${queue}'`,
    `the letter '${id}' in '${deadQueue}' says that it is from '${queue}', which is no dead-letter queue that was opened`,
    'If it holds dead letters of another application, name it among those of others, and restore it then. Else its headers are forged: forget it.',
  );
