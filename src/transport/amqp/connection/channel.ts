import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { Backoff } from '../../../util/backoff.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import { inRootContext } from '../../../util/root-context.js';
import { readDirectly } from '../consume/direct-reading.js';
import { readHeaders } from '../consume/header-reading.js';
import { writeDirectly } from '../publish/direct-writing.js';
import { type BrokerFeatures, brokerFeatures } from './broker-features.js';
import type { Connection, ConnectionListener } from './connection.js';

export interface SupervisedChannelOptions<Raw extends Channel> {
  open(model: ChannelModel): Promise<Raw>;
  /**
   * Prepares a new channel: declares, consumes. Runs on every opening. If it throws, the channel is closed; the
   * first time `start` throws the error, later the channel is opened again after a pause.
   */
  setUp(channel: Raw): Promise<void>;
  /** Called when the channel is gone for good: once for each channel that `setUp` has accepted. */
  lost(channel: Raw, error: Error): void;
  /** Called when the channel was opened again on a connection that had stayed up. */
  reopened?(error: Error): void;
  /** Called when a later setup failed; it will be tried again. */
  failed(error: Error): void;
  /**
   * Milliseconds that a channel must live to count as a success. A channel that keeps closing sooner is opened
   * again after growing pauses.
   */
  readonly stableAfterMs: number;
}

/** An error of the channel, with the broker's reply code if it has one. */
export interface ChannelError extends Error {
  code?: number;
}

/**
 * Keeps one channel open. A channel that closes on a live connection is opened again alone, with backoff; a
 * channel that is lost with its connection is opened when the next connection is up. Every channel has an error
 * listener, so that its error never ends the connection.
 */
export class SupervisedChannel<Raw extends Channel = Channel> implements ConnectionListener {
  /** The open channel after its setup. */
  current: Raw | undefined;

  private readonly backoff = new Backoff({ firstMs: 50, maxMs: 10_000 });
  private model: ChannelModel | undefined;
  private opening: Promise<void> | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private lastError: Error | undefined;
  private openedAt = 0;
  /** Reason why the channel that is being set up is to be closed again. */
  private spoilt: Error | undefined;
  private closed = false;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: SupervisedChannelOptions<Raw>,
  ) {}

  /**
   * Opens for the first time. An error of the setup is thrown, and nothing is tried again, unless the
   * connection was lost with it: that is no refusal, and the channel opens on the next one. (RabbitMQ 3.10
   * closes the connection that consumes a quorum queue while another one declares it, as two instances of a new
   * service do.)
   */
  async start(): Promise<void> {
    const { model } = this.connection;
    if (model) {
      await this.openOn(model).catch((error) => {
        if (this.connection.model === model) throw error;
      });
    }
    // Listening begins after the first try, so that its failure goes to the caller alone.
    this.connection.listen(this);
  }

  /**
   * Opens the channel now, or when there is a connection, for callers that can't act on an error: it is
   * reported, and the opening tried again.
   */
  begin(): void {
    this.connection.listen(this);
  }

  /** Replaces the channel by a new one, without waiting; if it is still being set up, after that. */
  reopen(reason: Error): void {
    const { current } = this;
    if (!current) {
      this.spoilt = reason;
      return;
    }
    current.close().catch(() => {});
    this.onClosed(current, reason);
  }

  /** Closes for good. May be called again, and during the end of the connection. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  up(model: ChannelModel): void {
    if (this.model === model) return;
    this.tryOpen(model);
  }

  down(): void {
    clearTimeout(this.retryTimer);
    this.model = undefined;
    // The next channel belongs to a new connection: it is not this one reopened.
    this.lastError = undefined;
    this.backoff.reset();
  }

  blocked(): void {}

  unblocked(): void {}

  private async end(): Promise<void> {
    this.closed = true;
    this.connection.unlisten(this);
    clearTimeout(this.retryTimer);
    await this.opening?.catch(() => {});
    const { current } = this;
    this.current = undefined;
    if (current) await closed(current);
  }

  private tryOpen(model: ChannelModel): void {
    if (this.closed) return;
    this.openOn(model).catch((error) => {
      this.lastError = error;
      this.options.failed(error);
      this.retryOn(model);
    });
  }

  private retryOn(model: ChannelModel): void {
    // If the connection is gone, the next one begins anew.
    if (this.closed || this.connection.model !== model) return;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.tryOpen(model), this.backoff.next());
  }

  private openOn(model: ChannelModel): Promise<void> {
    this.model = model;
    this.opening = inRootContext(() => this.openAndSetUp(model));
    return this.opening;
  }

  private async openAndSetUp(model: ChannelModel): Promise<void> {
    const channel = await this.options.open(model);
    this.spoilt = undefined;
    let error: Error | undefined;
    let isSetUp = false;
    channel.on('error', (cause: Error) => {
      error = cause;
    });
    channel.on('close', () => {
      if (isSetUp) this.onClosed(channel, error ?? new Error('the connection is gone'));
    });
    try {
      await answered(this.options.setUp(channel));
    } catch (cause) {
      channel.close().catch(() => {});
      throw error ?? cause;
    }
    if (error) throw error;
    isSetUp = true;
    this.current = channel;
    this.openedAt = performance.now();
    const { lastError } = this;
    this.lastError = undefined;
    if (lastError) this.options.reopened?.(lastError);
    if (this.spoilt) this.reopen(this.spoilt);
  }

  private onClosed(channel: Raw, error: Error): void {
    if (this.current !== channel) return;
    this.current = undefined;
    if (performance.now() - this.openedAt >= this.options.stableAfterMs) this.backoff.reset();
    this.options.lost(channel, error);
    const { model } = this;
    if (!model || this.connection.model !== model) return;
    this.lastError = error;
    this.retryOn(model);
  }
}

/** A queue without a leader leaves a request unanswered until it has one. */
const ANSWER_DEADLINE_MS = 30_000;

async function answered(request: Promise<void>): Promise<void> {
  const deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS);
  await deadline.race(request, () => new Error('the broker did not answer in time'));
}

/** The library's own promise never settles if the connection is lost before the broker answers. */
function closed(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    channel.once('close', () => resolve());
    // `close` throws at once if the channel is already closing.
    Promise.resolve()
      .then(() => channel.close())
      .catch(() => resolve());
  });
}

export async function openChannel(model: ChannelModel): Promise<Channel> {
  const channel = await model.createChannel();
  writeDirectly(model, channel);
  readHeaders(model);
  readDirectly(model, channel);
  return channel;
}

export async function openConfirmChannel(model: ChannelModel): Promise<ConfirmChannel> {
  const channel = await model.createConfirmChannel();
  writeDirectly(model, channel);
  // For returned messages.
  readHeaders(model);
  return channel;
}

export const featuresOf = ({ connection }: Channel): BrokerFeatures =>
  brokerFeatures(connection.serverProperties);
