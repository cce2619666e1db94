import { Bus, memory, rabbitmq } from 'hopline';
import { cloudEventOf, cloudEvents } from 'hopline/cloudevents';

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({
  service: 'orders',
  transport,
  middleware: [
    cloudEvents({
      source: '/orders',
      attributes: ({ routingKey, payload }) => ({
        type: `com.example.${routingKey}`,
        subject: (payload as { id: string }).id,
      }),
    }),
  ],
});

const handled = new Promise<void>((resolve) => {
  bus.handle('order.placed', ({ total }, context) => {
    const event = cloudEventOf(context);
    console.log(`${event?.type} of ${event?.subject}: ${total} €, from ${event?.source}`);
    resolve();
  });
});

await bus.start();
await bus.publish('order.placed', { id: 'o-17', total: 12 });
await handled;
await bus.stop();
