import { randomBytes } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { rabbitmq, type Transport } from '../../src/index.js';
import { PREDECLARED } from '../../src/message/exchange-option.js';
import { planDelays } from '../../src/topology/delays.js';
import { Names } from '../../src/topology/names.js';
import { type BrokerFeatures, brokerFeatures } from '../../src/transport/amqp/connection/broker-features.js';
import { systemClock } from '../../src/util/clock.js';
import { eventually } from './eventually.js';
import { TcpProxy } from './tcp-proxy.js';
import type {
  BreakableTransport,
  ForeignClient,
  ForeignDelivery,
  ForeignMessage,
  TransportHarness,
} from './transport-harness.js';
import { TypedClient } from './typed-client.js';

/** A client of the protocol and nothing else, on a connection of its own. One serves all tests of a file. */
export class RawClient implements ForeignClient {
  /** The delays of this run: deleted with {@link close}, and declared by the first bus that needs them. */
  readonly delayPrefix = `hopline-test-${randomBytes(4).toString('hex')}`;
  private opening: Promise<ConfirmChannel> | undefined;

  private constructor(
    readonly url: string,
    private readonly connection: ChannelModel,
  ) {}

  static async connect(url: string): Promise<RawClient> {
    const connection = await connect(url);
    connection.on('error', () => {});
    return new RawClient(url, connection);
  }

  get features(): BrokerFeatures {
    return brokerFeatures(this.connection.connection.serverProperties);
  }

  /** Opened again if the broker has closed it: it does for every request that it refuses. */
  channel(): Promise<ConfirmChannel> {
    this.opening ??= this.openChannel();
    return this.opening;
  }

  async publish({ exchange, routingKey, body = '', properties = {} }: ForeignMessage): Promise<void> {
    const channel = await this.channel();
    channel.publish(exchange, routingKey, Buffer.from(body), properties);
    await channel.waitForConfirms();
  }

  async take(queue: string): Promise<ForeignDelivery[]> {
    const channel = await this.channel();
    const taken: ForeignDelivery[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (!message) return taken;
      const { content, fields, properties } = message;
      const { exchange, routingKey } = fields;
      taken.push({
        exchange,
        routingKey,
        body: content,
        properties: properties as ForeignDelivery['properties'],
      });
    }
  }

  async bind(queue: string, exchange: string, pattern: string): Promise<void> {
    await (await this.channel()).bindQueue(queue, exchange, pattern);
  }

  async close(): Promise<void> {
    const { exchanges, queues, marker } = planDelays(new Names('', this.delayPrefix));
    const channel = await this.channel();
    await channel.deleteExchange(marker.name);
    for (const { name } of queues) await channel.deleteQueue(name);
    for (const { name } of exchanges) await channel.deleteExchange(name);
    await this.connection.close();
  }

  private async openChannel(): Promise<ConfirmChannel> {
    const channel = await this.connection.createConfirmChannel();
    channel.on('error', () => {});
    channel.on('close', () => {
      this.opening = undefined;
    });
    return channel;
  }
}

/** One test on the run's RabbitMQ. */
export class AmqpHarness implements TransportHarness {
  readonly clock = systemClock;
  readonly eventually = eventually;
  private readonly proxies: TcpProxy[] = [];
  /** Sockets open before the test: the raw client's, and the broker's own tools'. */
  private readonly socketsBefore = openSockets();

  constructor(readonly foreign: RawClient) {}

  get delayPrefix(): string {
    return this.foreign.delayPrefix;
  }

  get quorumPriorities(): boolean {
    return this.foreign.features.quorumPriorities === 'strict';
  }

  get countsNacks(): boolean {
    return this.foreign.features.countsNacks;
  }

  transport(): Transport {
    return rabbitmq({ url: this.foreign.url });
  }

  nextProcess(): Transport {
    return this.transport();
  }

  typedClient(): Promise<TypedClient> {
    return TypedClient.connect(this.foreign.url);
  }

  async breakableTransport(): Promise<BreakableTransport> {
    const url = new URL(this.foreign.url);
    const proxy = await TcpProxy.start({ host: url.hostname, port: Number(url.port || 5672) });
    this.proxies.push(proxy);
    url.host = `127.0.0.1:${proxy.port}`;
    return {
      transport: rabbitmq({ url: url.href }),
      break: () => proxy.reset(),
      stall: () => proxy.stall('both'),
      resume: () => proxy.resume(),
    };
  }

  async remove({
    queues,
    exchanges,
  }: {
    queues: Iterable<string>;
    exchanges: Iterable<string>;
  }): Promise<void> {
    const consumed: string[] = [];
    for (const name of queues) {
      // A quorum queue hears of a closed channel a moment later.
      const free = eventually(async () => (await this.consumersOf(name)) === 0, { timeout: 1_000 });
      await free.catch(() => consumed.push(name));
      await (await this.foreign.channel()).deleteQueue(name);
    }
    for (const name of exchanges)
      if (!PREDECLARED.has(name)) await (await this.foreign.channel()).deleteExchange(name);
    if (consumed.length > 0) throw new Error(`still consumed: ${consumed.join(', ')}`);
  }

  private async consumersOf(name: string): Promise<number> {
    const channel = await this.foreign.channel();
    const queue = await channel.checkQueue(name).catch(() => undefined);
    return queue?.consumerCount ?? 0;
  }

  leaks(): string[] {
    const more = openSockets() - this.socketsBefore;
    return more > 0 ? [`${more} sockets are open`] : [];
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
  }
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
}
