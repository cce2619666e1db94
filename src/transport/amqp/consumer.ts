import type { Channel, ConsumeMessage } from 'amqplib';
import { pause, systemClock } from '../../util/clock.js';
import { type Deferred, deferred } from '../../util/deferred.js';
import { inRootContext } from '../../util/root-context.js';
import type { Consumer, DeliverySink } from '../transport.js';
import { type BrokerFeatures, brokerFeatures } from './broker-features.js';
import { type ChannelError, openChannel, SupervisedChannel } from './channel.js';
import { ChannelEpoch } from './channel-epoch.js';
import type { Connection } from './connection.js';
import { AmqpDelivery } from './delivery.js';

export interface AmqpConsumerOptions {
  readonly queue: string;
  /** The broker counts its deliveries; a classic queue only flags them. */
  readonly counts: boolean;
  readonly prefetch: number;
  readonly keptForMs: number | undefined;
  /** What is lost is not restored. */
  readonly once: boolean;
  readonly sink: DeliverySink;
  /** Declares the queue and its bindings again. */
  redeclare(): Promise<void>;
  onStarted(): void;
  onCancelled(reason: string): void;
  onLost(error: Error): void;
  onRestored(): void;
  onReopened(error: Error): void;
  onFailed(error: Error): void;
  onClosed(): void;
}

/** What is left of a consumer on a connection that it has left. */
interface LeftChannel {
  readonly epoch: ChannelEpoch | undefined;
  readonly consumerTag: string | undefined;
  readonly supervised: SupervisedChannel;
}

const LOOK_WHETHER_SETTLED_MS = 50;

/**
 * Consumes one queue on a channel of its own, so that nothing another consumer does can disturb it. Survives the loss
 * of the channel and the connection, and a cancel by the broker: the queue is then declared again and consumed again.
 */
export class AmqpConsumer implements Consumer {
  private supervised: SupervisedChannel;
  private epoch: ChannelEpoch | undefined;
  /** Of connections that it has left: what they delivered is settled there yet. */
  private readonly left = new Set<LeftChannel>();
  private consumerTag: string | undefined;
  private prefetch: number;
  /** The window at most. */
  private most = Number.POSITIVE_INFINITY;
  /** The broker said the queue is gone. */
  private missing = false;
  /** What was told last. */
  private told: 'nothing' | 'consuming' | 'lost' = 'nothing';
  /** How often the broker has cancelled it. */
  private cancels = 0;
  private cancelled = false;
  private openings = 0;
  /** A window of 0: the channel is open, and nothing is consumed. */
  private paused = false;
  /** A new channel is being set up: the broker has not answered yet. */
  private settingUp: Deferred<void> | undefined;
  /** Number of the window that is open, or was last. */
  private window = 0;
  /** Changes of the window run one after the other. */
  private changing: Promise<void> = Promise.resolve();

  constructor(
    private connection: Connection,
    private readonly options: AmqpConsumerOptions,
  ) {
    this.prefetch = options.prefetch;
    this.supervised = this.superviseOn(connection);
  }

  get queue(): string {
    return this.options.queue;
  }

  /** A quorum queue: its delivery limit ends what can't be delivered. */
  get counts(): boolean {
    return this.options.counts;
  }

  start(): Promise<void> {
    return this.supervised.start();
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.prefetch = prefetch;
    // What is being set up consumes with the window of before, and delivers by it until it is told of the new one.
    // Asked for by a message that made room, or failed; the consumer that comes of it is not its.
    this.changing = inRootContext(() =>
      this.changing.then(() => this.settingUp?.promise).then(() => this.consumeAnew()),
    );
    return this.changing;
  }

  /**
   * Goes on over another connection. What the old one has delivered is settled there; it can go when this resolves.
   *
   * @param most how many deliveries may be unsettled at once, whatever the window is
   */
  async moveTo(connection: Connection, most: number): Promise<void> {
    const { supervised, epoch, consumerTag } = this;
    // It takes nothing any more, and what it has taken still runs.
    if (this.cancelled) return untilSettled(epoch);
    this.most = most;
    this.consumerTag = undefined;
    this.epoch = undefined;
    // Who waits for the old one's channel to be set up waits for the new one's.
    this.settingUp?.resolve();
    this.connection = connection;
    this.supervised = this.superviseOn(connection);
    const left = { epoch, consumerTag, supervised };
    this.left.add(left);
    this.supervised.begin();
    await this.leave(left);
  }

  async cancel(): Promise<void> {
    this.cancelled = true;
    this.settingUp?.resolve();
    await this.changing.catch(() => {});
    const { consumerTag, epoch } = this;
    if (consumerTag === undefined || !epoch || epoch.lost) return;
    this.consumerTag = undefined;
    // A quorum queue forgets acks that a channel sends right before it is closed, but not what it hears before it has ended a
    // consumer (rabbitmq-server#10327).
    epoch.flush();
    epoch.endSoon();
    // A channel that dies meanwhile delivers nothing any more either.
    await epoch.channel.cancel(consumerTag).catch(() => {});
  }

  close(): Promise<void> {
    this.cancelled = true;
    const epochs = [this.epoch, ...[...this.left].map(({ epoch }) => epoch)];
    for (const epoch of epochs) {
      epoch?.flush();
      // Nobody is told: who closes knows.
      epoch?.lose();
    }
    const closing = [this.supervised, ...[...this.left].map(({ supervised }) => supervised)];
    return Promise.all(closing.map((each) => each.close()))
      .then(() => {})
      .finally(() => this.options.onClosed());
  }

  private superviseOn(connection: Connection): SupervisedChannel {
    const supervised: SupervisedChannel = new SupervisedChannel(connection, {
      open: openChannel,
      setUp: async (channel) => {
        if (this.supervised === supervised) await this.setUp(channel, supervised);
      },
      lost: (channel, error) => this.lost(channel, error),
      reopened: (error) => this.options.onReopened(error),
      failed: (error) => {
        if (this.supervised === supervised) this.failed(error);
      },
      // With each channel that dies the broker charges what was delivered on it.
      stableAfterMs: 5_000,
    });
    return supervised;
  }

  /** Takes nothing more there, and closes the channel when all that it has delivered is settled. */
  private async leave(left: LeftChannel): Promise<void> {
    const { epoch, consumerTag, supervised } = left;
    epoch?.endSoon();
    if (epoch && !epoch.lost && consumerTag !== undefined)
      await epoch.channel.cancel(consumerTag).catch(() => {});
    await untilSettled(epoch);
    await supervised.close();
    this.left.delete(left);
  }

  private setUp(channel: Channel, supervised: SupervisedChannel): Promise<void> {
    const settingUp = deferred<void>();
    this.settingUp = settingUp;
    return this.beginToConsume(channel, supervised).finally(() => settingUp.resolve());
  }

  private async beginToConsume(channel: Channel, supervised: SupervisedChannel): Promise<void> {
    if (this.cancelled) return;
    this.openings += 1;
    if (this.options.once && this.openings > 1) {
      this.cancelled = true;
      // Its first channel may have gone before the broker had answered, and what was delivered on it with it.
      this.epoch?.lose();
      this.options.sink.lost(new Error('the channel was lost'));
      return;
    }
    if (this.missing) await this.options.redeclare();
    if (this.supervised !== supervised) return;
    this.missing = false;
    const { countsNacks } = featuresOf(channel);
    const epoch = new ChannelEpoch(channel, this.options.counts && countsNacks);
    this.epoch = epoch;
    const { cancels } = this;
    await this.consume(epoch);
    // A cancel may come in one read with the answer to consuming.
    if (cancels !== this.cancels || this.epoch !== epoch) return;
    if (this.told === 'nothing') this.options.onStarted();
    if (this.told === 'lost') this.options.onRestored();
    this.told = 'consuming';
  }

  /**
   * Without `global` the broker takes the window as each later consumer's own, so it is set before consuming
   * (https://www.rabbitmq.com/docs/consumer-prefetch). There 0 means no limit.
   */
  private async consume(epoch: ChannelEpoch): Promise<void> {
    const { queue, keptForMs, counts } = this.options;
    const width = Math.min(this.prefetch, this.most);
    this.paused = width === 0;
    if (this.paused) return;
    epoch.window = width;
    await epoch.channel.prefetch(width);
    if (this.epoch !== epoch) return;
    this.window += 1;
    const { window } = this;
    const onMessage = (message: ConsumeMessage | null) => this.onMessage(message, epoch, window);
    // A classic queue refuses to be told, and waits for ever (tried on 4.3.6).
    const told =
      counts && keptForMs !== undefined && featuresOf(epoch.channel).consumerTimeoutBy === 'consumer';
    const options = told ? { arguments: { 'x-consumer-timeout': keptForMs } } : {};
    const { consumerTag } = await epoch.channel.consume(queue, onMessage, options);
    if (!this.cancelled && this.epoch === epoch) this.consumerTag = consumerTag;
    // Cancelled, or moved, before the broker had answered: nobody else knows of this one, and it would go on.
    else if (!epoch.lost) await epoch.channel.cancel(consumerTag).catch(() => {});
  }

  /** Another window is another consumer: the old one is cancelled, its deliveries stay ours to settle. */
  private async consumeAnew(): Promise<void> {
    const { epoch, consumerTag } = this;
    if (this.cancelled || !epoch || epoch.lost) return;
    if (consumerTag === undefined && !this.paused) return;
    try {
      this.consumerTag = undefined;
      // Before the cancel: beside it they would make room for the old consumer, which is to take no more.
      epoch.flush();
      if (consumerTag !== undefined) await epoch.channel.cancel(consumerTag);
      if (!this.cancelled && this.epoch === epoch) await this.consume(epoch);
    } catch (error) {
      // The next opening uses the new window anyway.
      if (!epoch.lost && this.epoch === epoch) this.supervised.reopen(error as Error);
    }
  }

  private onMessage(message: ConsumeMessage | null, epoch: ChannelEpoch, window: number): void {
    if (message) {
      this.connection.deliveries += 1;
      this.options.sink.deliver(new AmqpDelivery(message, this.options, epoch, window));
      return;
    }
    if (epoch.lost) return;
    // The broker's own cancel. Its channel must go: a late ack on it would revive the consumer inside the broker.
    this.missing = true;
    this.cancels += 1;
    this.consumerTag = undefined;
    const reason =
      "the broker cancelled the consumer: its queue was deleted, lost its node, or a message was kept longer than the broker's consumer_timeout";
    this.options.onCancelled(reason);
    this.supervised.reopen(new Error(reason));
  }

  private lost(channel: Channel, error: Error): void {
    const left = [...this.left].find(({ epoch }) => epoch?.channel === channel);
    if (left) left.epoch?.lose();
    else {
      this.epoch?.lose();
      this.consumerTag = undefined;
      this.told = 'lost';
      this.options.onLost(error);
    }
    this.options.sink.lost(error);
  }

  private failed(error: ChannelError): void {
    // One that the broker never answers is given up, too.
    this.settingUp?.resolve();
    if (error.code === 404) this.missing = true;
    // An opening may fail after all that it set up has been told.
    if (this.told === 'consuming') this.told = 'lost';
    this.options.onFailed(error);
  }
}

/** Everything that it has delivered. */
async function untilSettled(epoch: ChannelEpoch | undefined): Promise<void> {
  while (epoch && !epoch.lost && !epoch.isSettled) await pause(systemClock, LOOK_WHETHER_SETTLED_MS);
}

function featuresOf({ connection }: Channel): BrokerFeatures {
  return brokerFeatures(connection.serverProperties);
}
