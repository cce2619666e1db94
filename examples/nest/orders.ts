import { Body, Controller, Get, Headers, Post } from '@nestjs/common';
import { Publisher } from 'hopline';
import { OrderPlaced } from './messages.js';
import { Shipments } from './shipping.js';

@Controller()
export class Orders {
  constructor(
    private readonly publisher: Publisher,
    private readonly shipments: Shipments,
  ) {}

  @Post('orders')
  async place(@Body() order: { id: string; total: number }, @Headers('tenant') tenant: string | undefined) {
    const headers: Record<string, string> = tenant === undefined ? {} : { tenant };
    const { messageId } = await this.publisher.publish(OrderPlaced, order, { headers });
    return { messageId };
  }

  @Get('shipments')
  shipped(): string[] {
    return this.shipments.all;
  }
}
