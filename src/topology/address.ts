import type { OutgoingMessage } from '../message/message.js';
import { delayAddress, delayedDestination, dueKey } from './delays.js';
import type { Names } from './names.js';
import type { Address } from './plan.js';

/**
 * Address of a message. A message that goes to an exchange at once is its own address: nothing is made for it.
 *
 * @throws InvalidMessageError if the delay is longer than 400 days, or its words leave too little room for the key
 */
export function addressOf(names: Names, message: OutgoingMessage): Address {
  const { delayMs } = message;
  switch (message.to) {
    case 'exchange': {
      if (!delayMs) return message;
      const { exchange, routingKey, mustRoute } = message;
      // To one queue: the default exchange is bound to nothing that delays could lead to.
      if (exchange === '') return delayAddress(names, delayMs, 'q', routingKey);
      return delayAddress(names, delayMs, mustRoute ? 'c' : 'e', delayedDestination(exchange, routingKey));
    }
    case 'queue':
      // Every work queue is bound to the last exchange of the delays, and our headers are believed behind it.
      return delayMs
        ? delayAddress(names, delayMs, 'q', message.queue)
        : { exchange: names.delayOut, routingKey: dueKey('q', message.queue) };
    case 'processes':
      // Not behind the delays, whose last exchange has a place for what no queue takes: here it comes back.
      return { exchange: names.land, routingKey: message.queue };
    case 'dead-letters':
      return { exchange: names.dead, routingKey: message.queue };
    case 'reply':
      return { exchange: '', routingKey: message.address };
    case 'lost':
      // The same keys as behind the delays, so that a message that is put there reads like one that came there.
      return {
        exchange: names.delayUnrouted,
        routingKey: message.queue === undefined ? dueKey('c', 'lost') : dueKey('q', message.queue),
      };
  }
}

/**
 * True if a message that no queue takes at its address must come back: always where Hopline's own queues are meant. A reply never:
 * RabbitMQ 3.10 returns one that it delivers.
 */
export const isMandatory = (message: OutgoingMessage, address: Address): boolean =>
  message.mustRoute || (address !== message && message.to !== 'reply');
