import type { Channel, ConsumeMessage, Message, Options } from 'amqplib';
import type { MessageProperties } from '../../../message/properties.js';
import { expirationOf } from '../../../message/wire/outgoing-fields.js';
import { addressOf } from '../../../topology/address.js';
import type { Names } from '../../../topology/names.js';
import type { OutgoingRequest, Refusal, ReplySink, Requests, Writing } from '../../requests.js';
import { type ChannelError, openChannel, SupervisedChannel } from '../connection/channel.js';
import type { Connection, ConnectionListener } from '../connection/connection.js';
import { receivedProperties, sentHeaders } from '../values.js';
import { isWrittenDirectly } from './direct-writing.js';
import { unencodable } from './publish-errors.js';
import { Refusals, refusalOf, refusalOfOne } from './refusals.js';
import { Trial } from './trial.js';

export interface AmqpRequestsOptions {
  readonly names: Names;
  /** Called when the broker reports a missing exchange: declares it again if it is one of ours. */
  onMissingExchange(exchange: string): Promise<boolean>;
  onReopened(error: Error): void;
}

/** The broker's own name for the channel's address: it writes the address itself into what is delivered. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

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
  private readonly refusals: Refusals;
  private readonly trial: Trial;

  constructor(
    private readonly connection: Connection,
    private readonly sink: ReplySink,
    private readonly options: AmqpRequestsOptions,
  ) {
    this.refusals = new Refusals({ model: () => connection.model, onLooked: () => sink.ready() });
    this.trial = new Trial(() => sink.ready());
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
    const { connection, channel, lastFailure, trial } = this;
    if (connection.isBlocked) return 'the broker blocks publishers (a memory or disk alarm)';
    if (!connection.model) return 'there is no connection to the broker';
    if (trial.isOn)
      return 'the broker has refused a request without saying which, and is asked one after the other';
    if (channel) return undefined;
    return `the channel for the replies is being opened${lastFailure ? ` again after: ${lastFailure.message}` : ''}`;
  }

  ask({ message, endsAt, isSuspect }: OutgoingRequest): Writing {
    const { channel, trial } = this;
    if (!channel || this.isFull || this.connection.isBlocked) return 'later';
    const { exchange, routingKey } = addressOf(this.options.names, message);
    const { properties, body } = message;
    const id = properties.correlationId as string;
    const refusal = this.refusals.of(exchange, routingKey);
    if (refusal) return refusal === 'held' ? refusal : this.refuse(id, refusal);
    if (!trial.mayWrite(isSuspect)) return 'later';
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
      if ((error as Error).name === 'IllegalOperationError') return 'later';
      throw unencodable(error as Error);
    }
    trial.wrote(id, isSuspect);
    return 'written';
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
    this.trial.opened(channel);
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
    this.lastFailure = error;
    const tried = this.trial.lost();
    const refusal = refusalOf(error);
    if (refusal === 'unnamed') {
      this.sink.lost(error, tried === undefined ? refusal : refusalOfOne(error, tried));
      return;
    }
    if (refusal) {
      this.refusals.add(refusal);
      if (refusal.isGone && refusal.exchange !== undefined) this.mend(refusal.exchange);
    }
    this.sink.lost(error, refusal);
  }

  private mend(exchange: string): void {
    this.options.onMissingExchange(exchange).then(
      (isMended) => {
        if (isMended) this.refusals.mended(exchange);
      },
      () => {},
    );
  }

  /** Tells of the refusal as the broker would, after the call that asks. */
  private refuse(id: string, refusal: Refusal): Writing {
    setImmediate(() => this.sink.refused(id, refusal));
    return 'written';
  }
}
