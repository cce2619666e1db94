import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus, memory } from 'hopline';
import { Handles } from 'hopline/decorators';
import { HoplineModule } from 'hopline/nest';

/* What the command loads: the bus of an application of Nest, which nobody has started. */

class Receipts {
  @Handles('order.paid')
  onPaid(): void {}
}

@Module({
  imports: [HoplineModule.forRoot({ service: 'receipts', transport: memory(), autoStart: false })],
  providers: [Receipts],
})
class AppModule {}

export default async (): Promise<Bus> =>
  (await NestFactory.createApplicationContext(AppModule, { logger: false })).get(Bus);
