import 'reflect-metadata';
import { once } from 'node:events';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { dashboard } from 'hopline/dashboard';
import { bus, transport } from './bus.js';

@Controller()
class Shop {
  @Get()
  home(): string {
    return 'the shop\n';
  }
}

@Module({ controllers: [Shop] })
class AppModule {}

const pages = dashboard({ transport, name: 'Shop', path: '/ops', allowActions: true });

const app = await NestFactory.create(AppModule, { logger: false, forceCloseConnections: true });
app.use('/ops', pages.listener);

await bus.start();
await app.listen(Number(process.env.PORT ?? '3000'), '127.0.0.1');
console.log(`listening on ${new URL(await app.getUrl()).port}`);

await once(process, 'SIGTERM');
await pages.close();
await app.close();
await bus.stop();
