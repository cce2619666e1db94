import { Bus, rabbitmq } from 'hopline';

export const bus = new Bus({ service: 'mailer', transport: rabbitmq({ url: process.env.AMQP_URL }) });

bus.handle('order.placed', sendReceipt, { queue: 'mailer.receipts', retry: { tries: 3, backoff: '5s' } });

async function sendReceipt({ number, email }) {
  console.log(`to ${email}: we have your order ${number}`);
}

await bus.runUntilSignal();
