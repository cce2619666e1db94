import { Bus, memory, rabbitmq } from 'hopline';

const { AMQP_URL } = process.env;

/** Connection to the broker: the dashboard needs one such as the bus has. */
export const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();

/** The service that the examples look at. */
export const bus = new Bus({ service: 'shop', transport });
bus.handle('order.placed', ({ number }) => console.log(`order ${number}`), { queue: 'orders', name: 'Ship' });
