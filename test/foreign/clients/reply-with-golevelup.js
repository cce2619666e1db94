import 'reflect-metadata';
import { RabbitMQModule, RabbitRPC } from '@golevelup/nestjs-rabbitmq';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const { url, exchange, routingKey, queue, count } = JSON.parse(process.argv[2]);

const seen = [];

class Prices {
  price(payload) {
    seen.push(payload);
    // What comes after the reply is written.
    if (seen.length === count) setTimeout(end, 500);
    return { cents: payload.amount * 3 };
  }
}
// As the compiler writes `@Injectable() class Prices { @RabbitRPC(…) price(payload) {…} }`.
RabbitRPC({ exchange, routingKey, queue, queueOptions: { autoDelete: true } })(
  Prices.prototype,
  'price',
  Object.getOwnPropertyDescriptor(Prices.prototype, 'price'),
);
Injectable()(Prices);

class Shop {}
Module({
  imports: [
    RabbitMQModule.forRoot({
      uri: url,
      exchanges: [{ name: exchange, type: 'topic', createExchangeIfNotExists: false }],
      connectionInitOptions: { wait: true, timeout: 20_000 },
    }),
  ],
  providers: [Prices],
})(Shop);

const application = await NestFactory.createApplicationContext(Shop, { logger: false });
console.log('ready');

async function end() {
  console.log(JSON.stringify({ seen }));
  await application.close();
  process.exit();
}
