import 'reflect-metadata';
import golevelup from '@golevelup/nestjs-rabbitmq';
import nestCommon from '@nestjs/common';
import nestCore from '@nestjs/core';
import { propertiesOf } from './lib/payload.js';
import { runPeer } from './lib/run-peer.js';

const { AmqpConnection, RabbitMQModule, RabbitSubscribe } = golevelup;

/** @typedef {import('./lib/run-peer.js').Setup} Setup @typedef {import('./lib/run-peer.js').Handle} Handle */

/** A Nest application with one subscribing method a queue; the decorators are called as the compiler would. */
function moduleOf(
  /** @type {Setup} */ { url, exchange, queues, key, prefetch },
  /** @type {Handle | undefined} */ handle,
) {
  class BenchHandlers {}
  for (const [index, queue] of (handle ? queues : []).entries()) {
    const method = `on${index}`;
    const descriptor = { value: (/** @type {any} */ payload) => handle?.(payload), configurable: true };
    Object.defineProperty(BenchHandlers.prototype, method, descriptor);
    const subscription = { exchange, routingKey: key, queue, createQueueIfNotExists: false };
    RabbitSubscribe(subscription)(BenchHandlers.prototype, method, descriptor);
  }
  nestCommon.Injectable()(BenchHandlers);
  class BenchModule {}
  const rabbit = RabbitMQModule.forRoot({
    uri: url,
    prefetchCount: prefetch,
    connectionInitOptions: { wait: true },
    exchanges: [{ name: exchange, type: 'topic', createExchangeIfNotExists: false }],
  });
  nestCommon.Module({ imports: [rabbit], providers: [BenchHandlers] })(BenchModule);
  return BenchModule;
}

/** @type {import('./lib/run-peer.js').Peer['open']} */
async function open(setup, handle) {
  const app = await nestCore.NestFactory.createApplicationContext(moduleOf(setup, handle), {
    logger: ['error'],
  });
  const connection = app.get(AmqpConnection);
  return {
    publish: (payload) => connection.publish(setup.exchange, setup.key, payload, propertiesOf(setup.key)),
    close: () => app.close(),
  };
}

await runPeer({ name: '@golevelup/nestjs-rabbitmq', open });
