import { connect } from 'amqplib';

/** The control: the client library alone, as its own guide uses it. */

/** @type {import('./program.js').Open} */
export async function open({ url, name, prefetch, handle }) {
  const model = await connect(url, { noDelay: true });
  const publishing = await model.createConfirmChannel();
  const consuming = await model.createChannel();
  await publishing.assertExchange(name, 'topic');
  await publishing.assertQueue(name);
  await publishing.bindQueue(name, name, name);
  return {
    publish: (body, messageId) =>
      new Promise((resolve, reject) => {
        const done = (/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined));
        publishing.publish(
          name,
          name,
          Buffer.from(JSON.stringify(body)),
          { messageId, persistent: true },
          done,
        );
      }),
    async consume() {
      await consuming.prefetch(prefetch);
      await consuming.consume(name, (message) => {
        if (!message) return;
        const { messageId, headers = {} } = message.properties;
        const running = handle(JSON.parse(message.content.toString()), messageId, headers);
        if (running) void running.then(() => consuming.ack(message));
        else consuming.ack(message);
      });
    },
    async close() {
      await publishing.deleteQueue(name);
      await publishing.deleteExchange(name);
      await model.close();
    },
  };
}
