import { Bus, type HandlerDefinitions, memory, rabbitmq } from 'hopline';

/** What handlers have done. */
export const lines: string[] = [];

const { AMQP_URL, SERVICE = 'shop' } = process.env;

/** What is declared is one run's own: on a broker others may be at work. */
export const service = SERVICE;

/** Sends a message to each handler, in memory or to the broker at AMQP_URL, and resolves with what they have done. */
export async function runWith(handlers: HandlerDefinitions): Promise<string[]> {
  const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
  const bus = new Bus({ service, prefix: service, transport, handlers });
  let open = 3;
  const handled = new Promise<void>((resolve) => {
    bus.on('handler.succeeded', () => {
      open -= 1;
      if (open === 0) resolve();
    });
  });

  await bus.start();
  await bus.publish('email.welcome', { to: 'ada@example.org' });
  await bus.publish('order.placed', { id: 'A7' });
  await bus.publish('order.cancelled', { id: 'A7' });
  await handled;
  await bus.stop();
  return lines.sort();
}
