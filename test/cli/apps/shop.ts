import { Bus, rabbitmq } from 'hopline';

/** An application as a command loads it; the tests start it, too. */
export const bus = new Bus({ service: 'shop', transport: rabbitmq({ url: process.env.AMQP_URL }) })
  .handle(['order.placed', 'order.*.refunded'], () => {}, {
    name: 'Orders',
    queue: { name: 'shop.orders', lanes: ['high', 'default'] },
    retry: { tries: 1 },
  })
  .handle(
    'mail.#',
    () => {
      throw new Error('no mailbox');
    },
    { name: 'Mail', queue: { name: 'shop.mail', type: 'classic' }, retry: { tries: 1 } },
  );
