import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { memory, rabbitmq } from 'hopline';
import { HoplineModule } from 'hopline/nest';
import { Health } from './health.js';
import { Orders } from './orders.js';
import { Notices, Shipments, Shipping } from './shipping.js';
import { Tenant } from './tenant.js';

@Module({
  imports: [
    TerminusModule,
    HoplineModule.forRootAsync({
      useFactory: () => ({
        service: 'shop',
        prefix: 'shop',
        transport: process.env.AMQP_URL ? rabbitmq({ url: process.env.AMQP_URL }) : memory(),
      }),
    }),
  ],
  controllers: [Orders, Health],
  providers: [Tenant, Shipments, Shipping, Notices],
})
export class AppModule {}
