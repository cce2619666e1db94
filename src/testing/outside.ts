import type { BusOptions } from '../bus/options.js';
import { Bus } from '../bus.js';
import { StoppedError } from '../errors.js';
import { exchangeRef } from '../message/exchange-option.js';
import type { MessageProperties } from '../message/properties.js';
import { outgoingFields } from '../message/wire/outgoing-fields.js';
import { silentLogger } from '../util/logger.js';
import type { KitSettings } from './options.js';
import { KitTransport } from './transport.js';
import type { World } from './world.js';

/** AMQP properties of a message, and its exchange. */
export interface RawProperties extends MessageProperties {
  /** Exchange to publish to. @default the bus's exchange */
  exchange?: string;
}

/** Options of the service under test that others who send it messages have as well. */
const SHARED = [
  'exchange',
  'prefix',
  'delayPrefix',
  'serializer',
  'encryption',
  'maxBodyBytes',
  'publishDeadline',
] as const satisfies readonly (keyof BusOptions)[];

/** Another service on the broker of the one under test, which publishes for the test. */
export class Outside {
  readonly bus: Bus;
  private readonly transport: KitTransport;
  private readonly exchange: string;

  constructor(world: World, settings: KitSettings) {
    const user = { name: 'test', by: 'test', onCrash: () => {} } as const;
    this.transport = new KitTransport(world, user, { declaresAll: true });
    this.exchange = exchangeRef(settings.bus.exchange ?? world.names.events).name;
    const shared = SHARED.flatMap((name) =>
      settings.bus[name] === undefined ? [] : [[name, settings.bus[name]]],
    );
    this.bus = new Bus({
      ...(Object.fromEntries(shared) as Pick<BusOptions, (typeof SHARED)[number]>),
      service: 'test',
      transport: this.transport,
      stores: world.stores,
      log: silentLogger,
    });
  }

  /** Publishes bytes with these properties alone. Resolves with the confirm. */
  async publishRaw(routingKey: string, body: Buffer, raw: RawProperties): Promise<void> {
    const { exchange = this.exchange, ...properties } = raw;
    const { session } = this.transport;
    if (!session) throw new StoppedError('publishRaw was called');
    const fields = { ...outgoingFields(properties), body, mustRoute: false, deadlineMs: 30_000 };
    await session.publish({ to: 'exchange', exchange, routingKey, ...fields });
  }
}
