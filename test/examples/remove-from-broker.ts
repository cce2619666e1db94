import { connect } from 'amqplib';
import { landingQueueOf, Names } from '../../src/topology/names.js';

/** What an application leaves, as services do. */
interface Leavings {
  readonly queues: readonly string[];
  /** Its own: what applications without one share stays. */
  readonly prefix?: string;
}

/** Deletes queues, their dead-letter queues, and what is named by the prefix. */
export async function removeFromBroker(url: string, { queues, prefix }: Leavings): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    for (const queue of queues) {
      await channel.deleteQueue(queue);
      await channel.deleteQueue(`${queue}.dead`);
      await channel.deleteQueue(landingQueueOf(queue));
    }
    if (prefix === undefined) return;
    const { events, dead, land, control, controlTo, ...names } = new Names(prefix);
    for (const exchange of [events, dead, land, control, controlTo]) await channel.deleteExchange(exchange);
    for (const queue of [names.paused, names.groups, names.operations, names.trash])
      await channel.deleteQueue(queue);
  } finally {
    await connection.close();
  }
}
