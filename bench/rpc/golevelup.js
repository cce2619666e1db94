import 'reflect-metadata';
import golevelup from '@golevelup/nestjs-rabbitmq';
import nestCommon from '@nestjs/common';
import nestCore from '@nestjs/core';
import { REQUEST_TIMEOUT_MS, RPC_QUEUE, runRpc } from '../lib/rpc.js';

const { AmqpConnection, RabbitMQModule, RabbitRPC } = golevelup;

/** By default it leaves Nagle's algorithm on, which holds small writes back until others join them. */
const noDelay = process.argv.includes('--no-delay');

/** @param {import('../lib/setup.js').Setup} setup @param {any[]} providers */
async function applicationOf({ url, exchange, prefetch }, providers) {
  class BenchModule {}
  const rabbit = RabbitMQModule.forRoot({
    uri: url,
    prefetchCount: prefetch,
    connectionInitOptions: { wait: true },
    connectionManagerOptions: noDelay ? { connectionOptions: { noDelay } } : {},
    exchanges: [{ name: exchange, type: 'topic' }],
  });
  nestCommon.Module({ imports: [rabbit], providers })(BenchModule);
  return nestCore.NestFactory.createApplicationContext(BenchModule, { logger: ['error'] });
}

/** The decorators are called as the compiler would. @type {import('../lib/rpc.js').RpcPeer['respond']} */
async function respond(setup, answer) {
  const { exchange, key, queues } = setup;
  class BenchResponder {}
  const descriptor = { value: (/** @type {any} */ payload) => answer(payload), configurable: true };
  Object.defineProperty(BenchResponder.prototype, 'answer', descriptor);
  RabbitRPC({ exchange, routingKey: key, queue: queues[0], queueOptions: RPC_QUEUE })(
    BenchResponder.prototype,
    'answer',
    descriptor,
  );
  nestCommon.Injectable()(BenchResponder);
  const app = await applicationOf(setup, [BenchResponder]);
  return () => app.close();
}

/** @type {import('../lib/rpc.js').RpcPeer['open']} */
async function open(setup) {
  const { exchange, key: routingKey } = setup;
  const app = await applicationOf(setup, []);
  const connection = app.get(AmqpConnection);
  return {
    ask: (payload) => connection.request({ exchange, routingKey, payload, timeout: REQUEST_TIMEOUT_MS }),
    close: () => app.close(),
  };
}

await runRpc({ name: '@golevelup/nestjs-rabbitmq', respond, open });
