import type { Channel, ConsumeMessage } from 'amqplib';
import { type Deferred, deferred } from '../../../util/deferred.js';
import { inRootContext } from '../../../util/root-context.js';
import type { Consumer } from '../../transport.js';
import { type ChannelError, featuresOf, openChannel, SupervisedChannel } from '../connection/channel.js';
import { ChannelEpoch } from '../connection/channel-epoch.js';
import type { Connection } from '../connection/connection.js';
import { StandingQueue } from '../topology/standing-queue.js';
import { Arrival } from './arrival.js';
import { type AmqpConsumerOptions, askedOf, BROKER_CANCELS } from './consumer-options.js';
import { AmqpDelivery } from './delivery.js';
import { endWithAll, giveUp, LeftChannels, untilSettled } from './left-channels.js';
import { startMeeting } from './passing-queue.js';

/**
 * Consumes one queue on its own channel, so that other consumers can't disturb it. Survives the loss of the
 * channel or the connection, and a cancel by the broker: the queue is then declared and consumed again.
 */
export class AmqpConsumer implements Consumer {
  private supervised: SupervisedChannel;
  private epoch: ChannelEpoch | undefined;
  private readonly left = new LeftChannels();
  private readonly arrival = new Arrival();
  private consumerTag: string | undefined;
  private prefetch: number;
  /** Upper limit of the window. */
  private most = Number.POSITIVE_INFINITY;
  /** The broker said that the queue is gone. */
  private missing = false;
  /** Name of the process's own queue in the broker. */
  private own: string | undefined;
  private readonly standing: StandingQueue;
  private lostAt = new Date();
  /** Last reported state. */
  private reported: 'nothing' | 'consuming' | 'lost' = 'nothing';
  /** Number of cancels by the broker. */
  private cancels = 0;
  private cancelled = false;
  private openings = 0;
  /** The window is 0, or the queue held back: the channel is open, and nothing is consumed. */
  private paused = false;
  /** A new channel is being set up: the broker has not answered yet. */
  private settingUp: Deferred<void> | undefined;
  /** Number of the current, or last, window. */
  private window = 0;
  /** Changes of the window run one after the other. */
  private changing: Promise<void> = Promise.resolve();

  constructor(
    private connection: Connection,
    private readonly options: AmqpConsumerOptions,
  ) {
    this.prefetch = options.prefetch;
    this.standing = new StandingQueue(options, () => this.followed());
    this.supervised = this.superviseOn(connection);
  }

  get queue(): string {
    return this.options.queue;
  }

  /** True for a quorum queue: its delivery limit ends a message that can't be delivered. */
  get counts(): boolean {
    return this.options.counts();
  }

  /** Number of the window that is open, or was last. */
  get windowNumber(): number {
    return this.window;
  }

  start(): Promise<void> {
    return startMeeting(this.options.passing, () => this.supervised.start());
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.prefetch = prefetch;
    return this.change();
  }

  /** A lane that takes nothing asks for a window when it does again. */
  private followed(): void {
    if (this.prefetch > 0) this.change(() => this.standing.isAnother).catch(() => {});
  }

  private change(isDue = () => true): Promise<void> {
    // A setup under way still uses what was before, and is corrected when it has ended. A message that made
    // room, or failed, may have asked for the change; the new consumer must not run in its async context.
    this.changing = inRootContext(() =>
      this.changing
        .then(() => this.settingUp?.promise)
        .then(() => (isDue() ? this.consumeAnew() : undefined)),
    );
    return this.changing;
  }

  /**
   * Moves to another connection. Deliveries of the old one are settled there; it can be closed when this resolves.
   *
   * @param most maximum unsettled deliveries, whatever the window is
   */
  async moveTo(connection: Connection, most: number): Promise<void> {
    const { supervised, epoch, consumerTag } = this;
    // The consumer takes nothing any more, but its deliveries may still be running.
    if (this.cancelled) return untilSettled(epoch);
    this.most = most;
    this.consumerTag = undefined;
    this.epoch = undefined;
    // Callers that wait for the old channel's setup wait for the new one's.
    this.settingUp?.resolve();
    this.connection = connection;
    this.supervised = this.superviseOn(connection);
    this.supervised.begin();
    const arriving = this.options.passing && epoch && !epoch.lost ? this.arrival.wait() : undefined;
    await this.left.leave({ epoch, consumerTag, supervised }, arriving);
  }

  async cancel(): Promise<void> {
    this.cancelled = true;
    this.arrival.reached();
    this.settingUp?.resolve();
    await this.changing.catch(() => {});
    const { consumerTag, epoch, supervised } = this;
    if (this.options.singleActive) return await endWithAll(epoch, supervised);
    if (consumerTag === undefined || !epoch || epoch.lost) return;
    this.consumerTag = undefined;
    // A quorum queue forgets acks that a channel sends right before it is closed, but not those that it gets
    // before it has ended the consumer (rabbitmq-server#10327).
    epoch.flush();
    epoch.endSoon();
    // A channel that is lost meanwhile delivers nothing more, either.
    await epoch.channel.cancel(consumerTag).catch(() => {});
  }

  close(): Promise<void> {
    this.cancelled = true;
    this.arrival.reached();
    this.standing.end();
    giveUp(this.epoch);
    return Promise.all([this.supervised.close(), this.left.close()])
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
      // The broker charges the deliveries of each lost channel to their messages.
      stableAfterMs: 5_000,
    });
    return supervised;
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
      // The first channel may have been lost before the broker's answer, together with its deliveries.
      this.epoch?.lose();
      this.options.sink.lost(new Error('the channel was lost'));
      return;
    }
    await this.standing.certain();
    const isBack = await this.options.foreign?.look(this.connection);
    if (this.missing || isBack) await this.options.redeclare();
    if (this.supervised !== supervised) return;
    this.missing = false;
    if (this.options.own) this.own = await this.options.own.make(channel);
    if (this.cancelled) return;
    const { countsNacks } = featuresOf(channel);
    const epoch = new ChannelEpoch(channel, this.options.counts() && countsNacks);
    this.epoch = epoch;
    const { cancels } = this;
    await this.consume(epoch);
    // A cancel may arrive in the same read as the answer to consuming.
    if (cancels !== this.cancels || this.epoch !== epoch) return;
    this.arrival.reached();
    if (this.reported === 'nothing') this.options.onStarted();
    if (this.reported === 'lost') this.options.onRestored(this.lostAt);
    this.reported = 'consuming';
  }

  /**
   * Without `global` the broker applies the prefetch to later consumers of the channel (https://www.rabbitmq.com/docs/consumer-prefetch). To
   * the broker 0 means no limit.
   */
  private async consume(epoch: ChannelEpoch): Promise<void> {
    const width = Math.min(this.prefetch, this.most);
    const name = width === 0 ? this.standing.leave() : (this.own ?? this.standing.take());
    this.paused = name === undefined;
    if (name === undefined) return;
    await this.options.passing?.declare(epoch.channel);
    if (this.epoch !== epoch) return;
    epoch.window = width;
    await epoch.channel.prefetch(width);
    if (this.epoch !== epoch) return;
    this.window += 1;
    const { window } = this;
    const onMessage = (message: ConsumeMessage | null) => this.onMessage(message, epoch, window);
    const { consumerTag } = await epoch.channel.consume(
      name,
      onMessage,
      askedOf(epoch.channel, this.options),
    );
    if (!this.cancelled && this.epoch === epoch) this.consumerTag = consumerTag;
    // Cancelled or moved before the broker had answered: nobody else knows this consumer, and it would go on.
    else if (!epoch.lost) await epoch.channel.cancel(consumerTag).catch(() => {});
  }

  /** A new window needs a new consumer: the old one is cancelled, and its deliveries are still settled here. */
  private async consumeAnew(): Promise<void> {
    const { epoch, consumerTag } = this;
    if (this.cancelled || !epoch || epoch.lost) return;
    if (consumerTag === undefined && !this.paused) return;
    if (this.options.singleActive && consumerTag !== undefined) return await this.leaveWithAll(epoch);
    try {
      this.consumerTag = undefined;
      // Before the cancel: if the acks were sent beside it, they would make room for the old consumer, which
      // must take nothing more.
      epoch.flush();
      // A queue that goes with its last consumer, as somebody else's may, would go with the old one, and what waits in it.
      const { passing, foreign } = this.options;
      const isFirst = (passing ?? foreign) !== undefined && this.prefetch > 0;
      if (isFirst) await this.consume(epoch);
      if (consumerTag !== undefined) await epoch.channel.cancel(consumerTag);
      if (!isFirst && !this.cancelled && this.epoch === epoch) await this.consume(epoch);
    } catch (error) {
      // The next opening uses the new window anyway.
      if (!epoch.lost && this.epoch === epoch) this.supervised.reopen(error as Error);
    }
  }

  /** Waits on a new channel, on which nothing is consumed. To any other window than none it keeps the one that it has. */
  private async leaveWithAll(epoch: ChannelEpoch): Promise<void> {
    if (this.prefetch > 0 && !this.standing.isAnother) return;
    [this.epoch, this.consumerTag] = [undefined, undefined];
    await endWithAll(epoch, this.supervised);
    this.supervised = this.superviseOn(this.connection);
    if (!this.cancelled) this.supervised.begin();
  }

  private onMessage(message: ConsumeMessage | null, epoch: ChannelEpoch, window: number): void {
    if (message) {
      this.connection.deliveries += 1;
      const { own, sink } = this.options;
      const delivery =
        own?.delivery(message, epoch, window) ?? new AmqpDelivery(message, this.options, epoch, window);
      if (this.standing.drops(delivery)) delivery.ack();
      else sink.deliver(delivery);
      return;
    }
    if (epoch.lost) return;
    // A cancel by the broker. A late ack on its channel would revive the consumer inside the broker.
    this.missing = true;
    this.cancels += 1;
    this.consumerTag = undefined;
    this.options.onCancelled(BROKER_CANCELS);
    this.supervised.reopen(new Error(BROKER_CANCELS));
  }

  private lost(channel: Channel, error: Error): void {
    if (!this.left.lose(channel)) {
      this.epoch?.lose();
      this.consumerTag = undefined;
      this.lostConsumer();
      this.options.onLost(error);
    }
    this.options.sink.lost(error);
  }

  private failed(error: ChannelError): void {
    // An opening that the broker never answers is given up, too.
    this.settingUp?.resolve();
    if (error.code === 404) this.missing = true;
    // An opening may still fail after it has reported success.
    if (this.reported === 'consuming') this.lostConsumer();
    this.options.onFailed(error);
  }

  private lostConsumer(): void {
    // Openings that fail after that don't change the moment.
    if (this.reported === 'consuming') this.lostAt = new Date();
    this.reported = 'lost';
  }
}
