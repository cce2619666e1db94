import { setTimeout as sleep } from 'node:timers/promises';
import { Bus, memory, rabbitmq } from 'hopline';

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'reports', transport });

async function build(report: string): Promise<void> {
  await sleep(100);
  console.log(report);
}

bus.handle('report.build', build, {
  queue: { name: 'reports', lanes: ['high', 'default'], concurrency: 1 },
});

let left = 4;
const done = new Promise<void>((resolve) => {
  bus.on('handler.succeeded', () => {
    left -= 1;
    if (left === 0) resolve();
  });
});

await bus.start();
await bus.send('report.build', 'January, for the archive');
await bus.send('report.build', 'February, for the archive');
await bus.send('report.build', 'March, for the archive');
await bus.send('report.build', 'the one a customer waits for', { lane: 'high' });
await done; // January is running; next come the customer's message, then February and March
await bus.stop();
