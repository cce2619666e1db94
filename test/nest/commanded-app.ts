import 'reflect-metadata';
import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus, memory } from 'hopline';
import { Handles } from 'hopline/decorators';
import { HoplineModule } from 'hopline/nest';

/* What the command loads: the bus of an application of Nest, which nobody has started. */

export const ends: string[] = [];

class Receipts implements OnApplicationShutdown {
  @Handles('order.paid')
  onPaid(): void {}

  onApplicationShutdown(): void {
    ends.push('application closed');
  }
}

@Module({
  imports: [HoplineModule.forRoot({ service: 'receipts', transport: memory(), autoStart: false })],
  providers: [Receipts],
})
class AppModule {}

export default async () => {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  return { bus: app.get(Bus), close: () => app.close() };
};
