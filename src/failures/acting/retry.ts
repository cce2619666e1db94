import { PublishRejectedError, TopologyError, UnroutableError } from '../../errors.js';
import { DEFAULT_EXCHANGE } from '../../message/exchange-option.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { ReplayMark } from '../../message/wire/replay-header.js';
import type { Session } from '../../transport/transport.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { isForeign } from '../letters/foreign-story.js';
import type { FailuresSettings } from '../options.js';
import { missing } from '../reading/missing-queue.js';
import type { Act } from './acting.js';
import { Destinations } from './destinations.js';
import { queueLookup } from './queue-lookup.js';
import { type ReplayTarget, republished, returned, toQueue } from './replay.js';
import type { Runs } from './runs.js';

/**
 * Replays one dead letter: publishes it and waits for the confirm. The caller acks it then.
 *
 * @param mark by which those that go to their queue are tried once, and reported about
 * @param runs names the runs that they begin
 */
export function retrier(
  settings: FailuresSettings,
  session: Session,
  to: ReplayTarget,
  { mark, runs }: { readonly mark?: ReplayMark; readonly runs?: Runs } = {},
): Act {
  const { publishDeadlineMs } = settings;
  const exists = queueLookup(session);
  const destinations = new Destinations(settings);
  /** Replays to the queues of processes, by queue and id. */
  const toAll = new Map<string, Promise<unknown>>();
  return async (letter) => {
    const { queue } = letter;
    if (queue !== undefined && (isForeign(letter.by) || settings.isOther(letter.deadQueue))) {
      destinations.checkQueue(letter, queue);
      if (!(await exists(queue))) throw missing(queue);
      await session.publish(returned(letter, queue, publishDeadlineMs));
      return;
    }
    if (queue === undefined && letter.exchange === '' && letter.routingKey === '') throw nowhere(letter);
    // What was sent to its queue past all exchanges goes there again: its key may be another than the queue's name.
    if ((to === 'republish' && letter.exchange !== DEFAULT_EXCHANGE.name) || queue === undefined) {
      destinations.checkPublish(letter);
      await session.publish(republished(letter, publishDeadlineMs, runs?.next()));
      return;
    }
    destinations.checkQueue(letter, queue);
    // Without this check the alternate exchange of the delays would take the message: it would count as
    // replayed, and be in the lost queue.
    if (await exists(queue)) await session.publish(toQueueOf(letter, queue));
    else await toProcesses(letter, queue);
  };

  /** What was sent past all exchanges and is lost was for a queue that the delays don't lead to. */
  function toQueueOf(letter: DeadLetter, queue: string): OutgoingMessage {
    const message = toQueue(letter, queue, publishDeadlineMs, mark, runs?.next());
    const isLost = letter.deadQueue === settings.names.delayLost && letter.exchange === DEFAULT_EXCHANGE.name;
    return isLost
      ? { ...message, to: 'exchange', exchange: DEFAULT_EXCHANGE.name, routingKey: queue }
      : message;
  }

  /**
   * A queue that each process has for itself is not there under its name. Each of these processes may have given the message up: one
   * replay comes to all of them.
   */
  async function toProcesses(letter: DeadLetter, queue: string): Promise<void> {
    const key = `${queue}\n${letter.id}`;
    const replay =
      toAll.get(key) ??
      session.publish({
        ...toQueue(letter, queue, publishDeadlineMs, mark, runs?.next()),
        ...{ to: 'processes', queue },
      });
    toAll.set(key, replay);
    try {
      await replay;
    } catch (error) {
      // The exchange is there where some handler needs it.
      throw error instanceof UnroutableError || error instanceof PublishRejectedError
        ? missing(queue)
        : error;
    }
  }
}

const nowhere = ({ id, deadQueue }: DeadLetter): TopologyError =>
  new TopologyError(
    `queue '${deadQueue}'`,
    `the dead letter '${id}' in '${deadQueue}' does not say which queue it failed in`,
    'Move it with the tools of the broker, or of the framework that has put it there.',
  );
