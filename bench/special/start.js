import { connect } from 'amqplib';
import { Bus, rabbitmq } from 'hopline';
import { Handles, handlers } from 'hopline/decorators';
import { ownPrefix, printResult, specialArguments } from './arguments.js';

/**
 * `node bench/special/start.js --count 50`: how long `start()` takes with this many handler classes, each with a queue of its
 * own, until all are declared and consumed. First with queues that are new, then with the same ones.
 */

const { url, count } = specialArguments();
const prefix = ownPrefix();

const classes = Array.from({ length: count }, (_, index) => {
  const { Handler } = {
    Handler: class {
      handle() {}
    },
  };
  Object.defineProperty(Handler, 'name', { value: `Handler${index}` });
  Handles(`bench.start.${index}`)(Handler);
  return Handler;
});

async function startMs() {
  const bus = new Bus({ service: prefix, prefix, transport: rabbitmq({ url }), handlers: handlers(classes) });
  const before = performance.now();
  await bus.start();
  const took = performance.now() - before;
  await bus.stop();
  return took;
}

/** The delays, which all services of a broker share, are there already in any broker that has seen one. */
async function warmUp() {
  const bus = new Bus({ service: prefix, prefix, transport: rabbitmq({ url }) });
  bus.handle('bench.start', () => {}, { queue: `${prefix}.warm` });
  await bus.start();
  await bus.stop();
}

async function tearDown() {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  for (const queue of [`${prefix}.warm`, ...classes.map(({ name }) => `${prefix}.${name}`)]) {
    await channel.deleteQueue(queue);
    await channel.deleteQueue(`${queue}.dead`);
  }
  for (const name of ['events', 'dead', 'control']) await channel.deleteExchange(`${prefix}.${name}`);
  await connection.close();
}

await warmUp();
const newMs = await startMs();
const againMs = await startMs();
await tearDown();
printResult({ special: 'start', count, newMs: Math.round(newMs), againMs: Math.round(againMs) });
process.exit(0);
