import type { Channel, ConsumeMessage, Message, Options } from 'amqplib';
import type { MessageProperties } from '../../../message/properties.js';
import { expirationOf } from '../../../message/wire/outgoing-fields.js';
import { addressOf } from '../../../topology/address.js';
import type { Names } from '../../../topology/names.js';
import type { OutgoingRequest, RefusingExchange, ReplySink, Requests } from '../../requests.js';
import { type ChannelError, openChannel, SupervisedChannel } from '../connection/channel.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import { receivedProperties, sentHeaders } from '../values.js';
import { isWrittenDirectly } from './direct-writing.js';
import { unencodable } from './publish-errors.js';

export interface AmqpRequestsOptions {
  readonly names: Names;
  /** Called when the broker reports a missing exchange: declares it again if it is one of ours. */
  onMissingExchange(exchange: string): Promise<boolean>;
  onReopened(error: Error): void;
}

/** The broker's own name for the channel's address: it writes the address itself into what is delivered. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

/**
 * Time for which requests to an exchange that refused one are refused here: each refusal costs the channel, and with it the replies
 * that others wait for.
 */
const REFUSING_FOR_MS = 1_000;

/** The broker's words. */
const REFUSED = /(?:no exchange|to exchange) '([^']*)'/;

/**
 * Requests on a channel of their own, with direct reply-to (https://www.rabbitmq.com/docs/direct-reply-to): replies come to the
 * channel that asked, without a queue, and are acked by nobody. It belongs to the publishing connection. The reply is the confirm,
 * so the channel has no others; that no queue has taken a request is told by its return.
 */
export class AmqpRequests implements Requests {
  private readonly supervised: SupervisedChannel;
  private readonly listener: ConnectionListener;
  /** The channel, once it consumes: a request before that would close it. */
  private channel: Channel | undefined;
  private isFull = false;
  private lastFailure: Error | undefined;
  /** Exchanges that refuse requests, until this moment of `performance.now()`. */
  private readonly refusing = new Map<string, { readonly why: RefusingExchange; readonly until: number }>();

  constructor(
    private readonly connection: Connection,
    private readonly sink: ReplySink,
    private readonly options: AmqpRequestsOptions,
  ) {
    this.supervised = new SupervisedChannel(connection, {
      open: openChannel,
      setUp: (channel) => this.setUp(channel),
      lost: (_channel, error) => this.lost(error),
      reopened: (error) => options.onReopened(error),
      failed: (error) => {
        this.lastFailure = error;
      },
      stableAfterMs: 1_000,
    });
    this.listener = { up: () => {}, down: () => {}, blocked: () => {}, unblocked: () => sink.ready() };
    connection.listen(this.listener);
    this.supervised.begin();
  }

  get obstacle(): string | undefined {
    const { connection, channel, lastFailure } = this;
    if (connection.isBlocked) return 'the broker blocks publishers (a memory or disk alarm)';
    if (!connection.model) return 'there is no connection to the broker';
    if (channel) return undefined;
    return `the channel for the replies can't be opened${lastFailure ? `: ${lastFailure.message}` : ''}`;
  }

  ask({ message, endsAt }: OutgoingRequest): boolean {
    const { channel } = this;
    if (!channel || this.isFull || this.connection.isBlocked) return false;
    const { exchange, routingKey } = addressOf(this.options.names, message);
    const { properties, body } = message;
    if (this.refuses(exchange, properties.correlationId as string)) return true;
    const { headers } = properties;
    const fields = {
      ...properties,
      ...(headers && !isWrittenDirectly(channel) ? { headers: sentHeaders(headers) } : {}),
      mandatory: true,
      priority: message.priority,
      replyTo: REPLY_TO,
      expiration: expirationOf(Math.max(1, Math.ceil(endsAt - performance.now()))),
    };
    try {
      this.isFull = !channel.publish(exchange, routingKey, body, fields as Options.Publish);
    } catch (error) {
      // A channel that has just closed; its loss is reported in a moment.
      if ((error as Error).name === 'IllegalOperationError') return false;
      throw unencodable(error as Error);
    }
    return true;
  }

  async close(): Promise<void> {
    this.connection.unlisten(this.listener);
    this.channel = undefined;
    const closed = this.supervised.close();
    // The broker doesn't read a blocked connection: its answer would come only after the alarm.
    if (!this.connection.isBlocked) await closed;
  }

  private async setUp(channel: Channel): Promise<void> {
    channel.on('return', ({ properties }: Message) => this.sink.unroutable(String(properties.correlationId)));
    channel.on('drain', () => {
      this.isFull = false;
      this.sink.ready();
    });
    await channel.consume(REPLY_TO, (message) => this.heard(message), { noAck: true });
    this.channel = channel;
    this.isFull = false;
    this.lastFailure = undefined;
    this.sink.ready();
  }

  private heard(message: ConsumeMessage | null): void {
    if (message) {
      const properties = receivedProperties(message.properties as MessageProperties);
      this.sink.replied({ body: message.content, properties });
    } else this.supervised.reopen(new Error('the broker cancelled the consumer of the replies'));
  }

  private lost(error: ChannelError): void {
    this.channel = undefined;
    const why = refusingExchange(error);
    if (why) {
      this.refusing.set(why.exchange, { why, until: performance.now() + REFUSING_FOR_MS });
      if (!why.exists) this.mend(why.exchange);
    }
    this.sink.lost(error, why);
  }

  private mend(exchange: string): void {
    this.options.onMissingExchange(exchange).then(
      (isMended) => {
        if (isMended) this.refusing.delete(exchange);
      },
      () => {},
    );
  }

  /** Tells of the refusal as the broker would, after the call that asks. */
  private refuses(exchange: string, correlationId: string): boolean {
    const known = this.refusing.get(exchange);
    if (!known) return false;
    if (known.until <= performance.now()) {
      this.refusing.delete(exchange);
      return false;
    }
    setImmediate(() => this.sink.unroutable(correlationId));
    return true;
  }
}

function refusingExchange({ code, message }: ChannelError): RefusingExchange | undefined {
  const [, exchange] = code === 404 || code === 403 ? (REFUSED.exec(message) ?? []) : [];
  return exchange === undefined ? undefined : { exchange, exists: code === 403 };
}
