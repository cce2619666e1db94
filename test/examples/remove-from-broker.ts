import { connect } from 'amqplib';

/** Deletes queues, their dead-letter queues, and exchanges: examples leave theirs, as services do. */
export async function removeFromBroker(
  url: string,
  { queues, exchanges }: { readonly queues: readonly string[]; readonly exchanges: readonly string[] },
): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    for (const queue of queues) {
      await channel.deleteQueue(queue);
      await channel.deleteQueue(`${queue}.dead`);
    }
    for (const exchange of exchanges) await channel.deleteExchange(exchange);
  } finally {
    await connection.close();
  }
}
