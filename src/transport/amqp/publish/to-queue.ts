import { UnroutableError } from '../../../errors.js';
import { HEADER } from '../../../message/headers.js';
import type { OutgoingMessage, ToExchange } from '../../../message/message.js';
import type { Published } from '../../../message/published.js';
import type { Generations } from '../../../topology/generations.js';

/**
 * True for a message that the default exchange gets, whose keys are the names of the broker's queues. A delayed one goes to the exchanges of
 * the delays, whose bindings have the queue's own name.
 */
export const isToQueue = (message: OutgoingMessage): message is Extract<OutgoingMessage, ToExchange> =>
  message.to === 'exchange' && message.exchange === '' && !message.delayMs;

/**
 * Publishes by the default exchange to the queue that stands for the one that is named. A process that only publishes hears nothing of
 * migrations: it looks when its message finds no queue.
 */
export async function publishToQueue(
  message: Extract<OutgoingMessage, ToExchange>,
  generations: Pick<Generations, 'nameOf' | 'refresh'>,
  publish: (message: OutgoingMessage) => Promise<Published | undefined>,
): Promise<Published | undefined> {
  const { routingKey: queue } = message;
  const name = generations.nameOf(queue);
  try {
    return await publish(named(message, name));
  } catch (error) {
    if (!(error instanceof UnroutableError)) throw error;
    await generations.refresh();
    const now = generations.nameOf(queue);
    if (now === name) throw error;
    return await publish(named(message, now));
  }
}

/** Handlers know the queue by its own name, which its origin has. */
function named(message: Extract<OutgoingMessage, ToExchange>, name: string): OutgoingMessage {
  const { routingKey, properties } = message;
  if (name === routingKey) return message;
  const origin = { [HEADER.exchange]: '', [HEADER.routingKey]: routingKey };
  return {
    ...message,
    routingKey: name,
    properties: { ...properties, headers: { ...origin, ...properties.headers } },
  };
}
