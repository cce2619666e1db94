import { Bus, rabbitmq } from 'hopline';
import { orderPlaced } from './order-placed.js';

const [, , number = '1', email = 'ada@example.org'] = process.argv;

const bus = new Bus({ service: 'orders', transport: rabbitmq({ url: process.env.AMQP_URL }) });
await bus.start();
await bus.publish(orderPlaced, { number, email }, { messageId: `order-${number}` });
await bus.stop();
