import type { Bus, rabbitmq } from '../../../src/index.js';

/** What there is of Hopline: a command and the application that it loads have the published package, the tests the sources. */
export interface Hopline {
  readonly Bus: typeof Bus;
  readonly rabbitmq: typeof rabbitmq;
}

/** The service of shop.ts, for a test that starts it. */
export function shopOf({ Bus, rabbitmq }: Hopline, url = process.env.AMQP_URL): Bus {
  return new Bus({ service: 'shop', transport: rabbitmq({ url }) })
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
}
