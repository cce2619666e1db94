import 'reflect-metadata';
import { RabbitMQModule } from '@golevelup/nestjs-rabbitmq';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { rabbitmq } from 'hopline';
import { HoplineModule } from 'hopline/nest';
import { Account } from './account.js';
import { QuietStop } from './golevelup/index.js';
import { PARTS, type Step } from './parts.js';
import { serveTraffic } from './traffic.js';

/* The shop at one step of its move: `node main.js billing=golevelup mailer=moving quotes=hopline`. */

const { AMQP_URL: url = '' } = process.env;
const steps = process.argv.slice(2).map((argument) => argument.split('=') as [string, Step]);
const needsGolevelup = steps.some(([, step]) => step !== 'hopline');

const golevelup = RabbitMQModule.forRoot({
  uri: url,
  exchanges: [
    { name: 'shop', type: 'topic' },
    { name: 'failed', type: 'fanout' },
  ],
  channels: { mails: { prefetchCount: 2 } },
});
const hopline = HoplineModule.forRoot({ service: 'shop', transport: rabbitmq({ url }) });

@Module({
  imports: needsGolevelup ? [golevelup, hopline] : [hopline],
  providers: [
    Account,
    ...(needsGolevelup ? [QuietStop] : []),
    ...steps.flatMap(([part, step]) => PARTS[part]?.[step]() ?? []),
  ],
})
class Shop {}

const app = await NestFactory.createApplicationContext(Shop, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
serveTraffic(app);
process.send?.({ ready: true });
