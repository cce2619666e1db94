import { HEADER } from '../../../message/headers.js';
import type { OutgoingMessage, ToExchange } from '../../../message/message.js';
import { type Generations, logicalNameOf } from '../../../topology/generations.js';

type MessageToExchange = Extract<OutgoingMessage, ToExchange>;

/**
 * True for a message that the default exchange gets, whose keys are the names of the broker's queues. A delayed one goes to the exchanges of
 * the delays, whose bindings have the queue's own name.
 */
const isToQueue = (message: OutgoingMessage): message is MessageToExchange =>
  message.to === 'exchange' && message.exchange === '' && !message.delayMs;

/** The message, with the key that leads the default exchange to the queue that stands for the one that is named. */
export const toItsQueue = (
  message: OutgoingMessage,
  generations: Pick<Generations, 'nameOf'>,
): OutgoingMessage => (isToQueue(message) ? named(message, generations.nameOf(message.routingKey)) : message);

/**
 * A message that found no queue, for the queue that stands for its own by now; undefined if that is none other. A process that only
 * publishes hears nothing of migrations: it looks at this moment.
 */
export async function toItsNextQueue(
  message: OutgoingMessage,
  generations: Pick<Generations, 'of' | 'refresh'>,
): Promise<OutgoingMessage | undefined> {
  if (!isToQueue(message)) return undefined;
  await generations.refresh();
  const now = generations.of(logicalNameOf(message.routingKey));
  return now && now.name !== message.routingKey ? named(message, now.name) : undefined;
}

/** Handlers know the queue by its own name, which its origin has. */
function named(message: MessageToExchange, name: string): OutgoingMessage {
  const { routingKey, properties } = message;
  if (name === routingKey) return message;
  const origin = { [HEADER.exchange]: '', [HEADER.routingKey]: routingKey };
  return {
    ...message,
    routingKey: name,
    properties: { ...properties, headers: { ...origin, ...properties.headers } },
  };
}
