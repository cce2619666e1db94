import { setTimeout as pause } from 'node:timers/promises';
import { ForbiddenException, Injectable, Logger, type PipeTransform, UseGuards } from '@nestjs/common';
import type { MessageContext } from 'hopline';
import { Handles, Queue, Retry } from 'hopline/decorators';
import { HoplineContext, HoplineHandler, HoplinePayload } from 'hopline/nest';
import { OrderPlaced, OrderShipped } from './messages.js';
import { HasTenant, Tenant } from './tenant.js';

/** What was shipped, for all requests. */
@Injectable()
export class Shipments {
  readonly all: string[] = [];
}

export class Parcel {
  constructor(
    readonly order: string,
    readonly isInsured: boolean,
  ) {}
}

@Injectable()
export class ToParcel implements PipeTransform {
  transform({ id, total }: { id: string; total: number }): Parcel {
    return new Parcel(id, total > 100);
  }
}

@Queue({ name: 'shop.shipping' })
@Injectable()
export class Shipping {
  private readonly logger = new Logger(Shipping.name);

  constructor(
    private readonly tenant: Tenant,
    private readonly shipments: Shipments,
  ) {}

  @UseGuards(HasTenant)
  @Retry({ on: [{ error: ForbiddenException, then: 'dead-letter' }] })
  @HoplineHandler(OrderPlaced)
  async onPlaced(@HoplinePayload(ToParcel) parcel: Parcel, @HoplineContext() context: MessageContext) {
    this.logger.log(`packing ${parcel.order}`);
    await pause(Number(process.env.PACKING_MS ?? 0));
    const insured = parcel.isInsured ? ', insured' : '';
    this.shipments.all.push(`${parcel.order} for ${this.tenant.name}${insured}`);
    await context.publish(OrderShipped, { id: parcel.order });
  }
}

@Queue({ name: 'shop.notices' })
@Injectable()
export class Notices {
  private readonly logger = new Logger(Notices.name);

  @Handles(OrderShipped)
  onShipped({ id }: { id: string }): void {
    this.logger.log(`order ${id} is on its way`);
  }
}
