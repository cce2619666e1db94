import type { OutgoingMessage } from '../../../message/message.js';
import type { ProcessQueuePlan } from '../../../topology/plan.js';
import { ProcessRoom } from '../../../topology/process-room.js';
import type { Consumer, DeliverySink, SessionOptions } from '../../transport.js';
import type { ChannelError } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import { ComingBack } from './coming-back.js';
import { AmqpConsumer } from './consumer.js';
import { consumerTeller } from './consumer-teller.js';
import { ProcessDelivery } from './process-delivery.js';
import { ProcessQueue } from './process-queue.js';
import { refusedOwnQueue } from './refused-to-consume.js';

export interface ProcessConsumerOptions {
  readonly plan: ProcessQueuePlan;
  readonly prefetch: number;
  readonly sink: DeliverySink;
  readonly session: Pick<SessionOptions, 'service' | 'events' | 'log' | 'names'>;
  /** Declares the exchanges again, and the queue of the dead letters. */
  redeclare(): Promise<void>;
  onClosed(): void;
}

/** Consumes a queue that this process makes for itself, and keeps the messages that wait for another attempt. */
export class ProcessConsumer implements Consumer {
  private readonly consumer: AmqpConsumer;
  private readonly queue: ProcessQueue;
  private readonly comingBack: ComingBack;
  private readonly room: ProcessRoom;
  /** The prefetch that was asked for last. */
  private prefetch: number;
  /** When it was said to consume; undefined before. */
  private startedAt: Date | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: ProcessConsumerOptions,
  ) {
    const { plan, prefetch, sink, session, redeclare } = options;
    const { name } = plan;
    this.prefetch = prefetch;
    this.queue = new ProcessQueue(plan);
    this.room = new ProcessRoom(name, session.log, () => void this.resize());
    this.comingBack = new ComingBack(prefetch, {
      ...{ queue: name, exchange: session.names.delayOut, sink, room: this.room },
      window: () => this.consumer.windowNumber,
    });
    const { comingBack } = this;
    const teller = consumerTeller(name, session, refusedOwnQueue);
    this.consumer = new AmqpConsumer(connection, {
      ...{ queue: name, counts: () => false, prefetch, keptForMs: undefined, once: false, sink, redeclare },
      own: {
        make: (channel) => this.queue.make(channel),
        delivery: (message, epoch, window) => new ProcessDelivery(message, name, comingBack, epoch, window),
      },
      ...teller,
      onStarted: () => {
        teller.onStarted();
        // The connection was lost while it started.
        if (this.startedAt) sink.missed?.(this.startedAt);
      },
      onRestored: (lostAt) => {
        teller.onRestored(lostAt);
        sink.missed?.(lostAt);
      },
      onClosed: () => {},
    });
  }

  /** @throws TopologyError if the broker refuses */
  async start(): Promise<void> {
    try {
      await this.consumer.start();
      this.startedAt = new Date();
    } catch (error) {
      await this.close();
      throw refusedOwnQueue(this.options.plan.name, error as ChannelError);
    }
  }

  /** Delivers the copy after its delay. The promise is that of a publish. */
  async comeBack(message: OutgoingMessage): Promise<undefined> {
    this.comingBack.add(message);
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.prefetch = prefetch;
    this.comingBack.resize(prefetch);
    return this.resize();
  }

  async cancel(): Promise<void> {
    this.comingBack.end();
    await this.consumer.cancel();
    await this.queue.drop(this.connection.model);
  }

  async close(): Promise<void> {
    this.comingBack.end();
    await this.consumer.close();
    await this.queue.drop(this.connection.model);
    this.options.onClosed();
    this.room.tellDropped();
  }

  /** While the room is full, what fails would find none: the queue keeps the rest. */
  private resize(): Promise<void> {
    return this.consumer.setPrefetch(this.room.isFull ? 0 : this.prefetch);
  }
}
