import { setTimeout as pause } from 'node:timers/promises';
import { Bus, rabbitmq, UnrecoverableError } from '../../src/index.js';
import { silentLogger } from '../../src/util/logger.js';

/*
 * The application on the pictures: three services of a shop with some traffic, of which some fails for reasons that shops know.
 */

export const PREFIX = 'shop';

const CITIES = ['Lyon', 'Porto', 'Graz', 'Ghent', 'Tartu'];

/** Publishes a few orders each time. */
const EVERY_MS = 100;
const ORDERS = 4;

export class PicturedShop {
  private readonly buses: readonly Bus[];
  private timer: NodeJS.Timeout | undefined;
  private orders = 0;
  private selling: Promise<unknown> | undefined;

  constructor(url: string) {
    const bus = (service: string) =>
      new Bus({
        service,
        prefix: PREFIX,
        transport: rabbitmq({ url }),
        log: silentLogger,
        failureLog: false,
        concurrency: 20,
      });
    this.buses = [checkout(bus('checkout')), mailer(bus('mailer')), billing(bus('billing'))];
  }

  async start(): Promise<void> {
    for (const bus of this.buses) await bus.start();
    this.timer = setInterval(() => {
      this.selling = Promise.all([this.selling, this.sell()]);
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.selling;
    await Promise.all(this.buses.map((bus) => bus.stop()));
  }

  private async sell(): Promise<void> {
    for (let place = 0; place < ORDERS; place += 1) {
      this.orders += 1;
      const order = this.orders;
      const placed = {
        order,
        customer: {
          name: `Customer ${order}`,
          email: `customer-${order}@example.org`,
          city: CITIES[order % CITIES.length],
        },
        lines: [{ sku: `SKU-${order % 97}`, count: 1 + (order % 3), cents: 1_290 }],
      };
      await this.buses[0]?.publish('order.placed', placed, {
        messageId: `order-${order}`,
        correlationId: `visit-${order % 500}`,
      });
    }
  }
}

interface Order {
  readonly order: number;
}

const RETRY = { tries: 3, backoff: ['200ms', '400ms'] } as const;

/** With the stack that it would have in the shop: no picture shows where this machine keeps its files. */
function thrown<Thrown extends Error>(error: Thrown, place: string): Thrown {
  error.stack = `${error.name}: ${error.message}\n    at handle (/app/src/${place})`;
  return error;
}

function checkout(bus: Bus): Bus {
  return bus
    .handle('order.placed', ({ order }: Order) => pause(order % 40), {
      name: 'ReserveStock',
      queue: 'checkout.stock',
      retry: RETRY,
    })
    .handle('order.placed', ({ order }: Order) => pause(10 + (order % 25)), {
      name: 'UpdateSearch',
      queue: 'checkout.search',
      retry: RETRY,
    });
}

function mailer(bus: Bus): Bus {
  const confirm = async ({ order }: Order) => {
    await pause(20 + (order % 60));
    if (order % 61 === 0)
      throw thrown(
        new TypeError(`Cannot read properties of undefined (reading 'locale') in mail ${order}`),
        'mailer/confirm.ts:41:13',
      );
    if (order % 173 === 0)
      throw thrown(new Error(`connect ECONNREFUSED 10.0.3.${order % 200}:25`), 'mailer/smtp.ts:88:9');
  };
  return bus
    .handle('order.placed', confirm, { name: 'SendConfirmation', queue: 'mailer.confirmation', retry: RETRY })
    .handle('invoice.written', () => pause(15), {
      name: 'SendInvoice',
      queue: 'mailer.invoice',
      retry: RETRY,
    });
}

function billing(bus: Bus): Bus {
  const write = async ({ order }: Order) => {
    await pause(30 + (order % 80));
    if (order % 97 === 0)
      throw thrown(
        new RangeError(`credit limit of customer ${order} exceeded by ${order % 400} EUR`),
        'billing/invoice.ts:57:11',
      );
    if (order % 211 === 0)
      throw thrown(new UnrecoverableError(`order ${order} has no tax number`), 'billing/tax.ts:23:31');
    await bus.publish('invoice.written', { invoice: order });
  };
  const report = async () => pause(90_000);
  return bus
    .handle('order.placed', write, { name: 'WriteInvoice', queue: 'billing.invoice', retry: RETRY })
    .handle('month.ended', report, {
      name: 'CloseMonth',
      queue: 'billing.month',
      timeout: '5m',
      retry: RETRY,
    });
}
