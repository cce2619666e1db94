import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { REQUEST_TIMEOUT_MS, RPC_QUEUE, runRpc } from '../lib/rpc.js';

/**
 * Written by hand, as well as one does: direct reply-to on one channel, a map of what is asked, a timer and an expiration for each
 * request, the reply confirmed before the ack.
 */

const REPLY_TO = 'amq.rabbitmq.reply-to';

/** @type {import('../lib/rpc.js').RpcPeer['respond']} */
async function respond({ url, exchange, queues: [queue], key, prefetch }, answer) {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange(exchange, 'topic', { durable: true });
  await channel.assertQueue(queue, RPC_QUEUE);
  await channel.bindQueue(queue, exchange, key);
  await channel.prefetch(prefetch);
  await channel.consume(queue, (message) => {
    if (!message) return;
    const { replyTo, correlationId } = message.properties;
    const reply = answer(JSON.parse(message.content.toString()));
    const body = Buffer.from(JSON.stringify(reply));
    channel.publish('', replyTo, body, { correlationId, contentType: 'application/json' }, (error) => {
      if (error) channel.nack(message);
      else channel.ack(message);
    });
  });
  return () => connection.close();
}

/** @type {import('../lib/rpc.js').RpcPeer['open']} */
async function open({ url, exchange, key }) {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  /** @type {Map<string, { resolve: (reply: any) => void, reject: (error: Error) => void, timer: NodeJS.Timeout }>} */
  const asked = new Map();
  /** @param {string} id */
  const take = (id) => {
    const found = asked.get(id);
    asked.delete(id);
    clearTimeout(found?.timer);
    return found;
  };
  await channel.consume(
    REPLY_TO,
    (message) => {
      if (message) take(message.properties.correlationId)?.resolve(JSON.parse(message.content.toString()));
    },
    { noAck: true },
  );
  channel.on('return', ({ properties }) =>
    take(properties.correlationId)?.reject(new Error('nobody answers')),
  );
  return {
    ask: (payload) =>
      new Promise((resolve, reject) => {
        const correlationId = randomUUID();
        const timer = setTimeout(
          () => take(correlationId)?.reject(new Error('no reply in time')),
          REQUEST_TIMEOUT_MS,
        );
        asked.set(correlationId, { resolve, reject, timer });
        channel.publish(exchange, key, Buffer.from(JSON.stringify(payload)), {
          ...{ replyTo: REPLY_TO, correlationId, messageId: correlationId, mandatory: true },
          ...{ contentType: 'application/json', expiration: REQUEST_TIMEOUT_MS },
        });
      }),
    close: () => connection.close(),
  };
}

await runRpc({ name: 'amqplib', respond, open });
