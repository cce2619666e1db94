import type { Transport } from '../../src/index.js';
import type {
  Consumer,
  Delivery,
  DeliverySink,
  Session,
  SessionOptions,
} from '../../src/transport/transport.js';
import type { Deadline } from '../../src/util/deadline.js';

/** How the next consumer loses its connection. */
export interface Loss {
  /** Acks after which it is lost. */
  readonly afterAcks: number;
  /** The last of these acks do not arrive: so many, of which who acks is not told. */
  readonly lostAcks: number;
  /** True if the broker keeps what the consumer held, until it is told to {@link LossyTransport.giveBack}. */
  readonly isKept?: boolean;
}

/** A transport whose consuming connection a test can lose, while the publishing one is well. */
export class LossyTransport implements Transport {
  /** Queues that were consumed from, once for each consumer. */
  readonly consumed: string[] = [];
  loss: Loss | undefined;
  readonly kind: Transport['kind'];
  readonly clock: Transport['clock'];
  private kept: Consumer | undefined;

  constructor(private readonly inner: Transport) {
    this.kind = inner.kind;
    this.clock = inner.clock;
  }

  async open(options: SessionOptions, deadline: Deadline): Promise<Session> {
    const session = await this.inner.open(options, deadline);
    const consume: Session['consume'] = (queue, its, sink) => {
      this.consumed.push(queue);
      const { loss } = this;
      this.loss = undefined;
      const begin = (lossy: DeliverySink) => session.consume(queue, its, lossy);
      return loss ? this.lossy(loss, sink, begin) : begin(sink);
    };
    // Everything else is the session's own.
    return Object.create(session, { consume: { value: consume } });
  }

  async giveBack(): Promise<void> {
    await this.kept?.close();
  }

  private async lossy(
    { afterAcks, lostAcks, isKept = false }: Loss,
    sink: DeliverySink,
    begin: (sink: DeliverySink) => Promise<Consumer>,
  ): Promise<Consumer> {
    let acks = 0;
    let isLost = false;
    const ack = (arrives: Delivery['ack']) => {
      if (isLost) return false;
      acks += 1;
      const hasArrived = acks > afterAcks - lostAcks || arrives();
      if (acks < afterAcks) return hasArrived;
      isLost = true;
      sink.lost(new Error('lost for this test'));
      void (isKept ? consumer.cancel() : consumer.close());
      return hasArrived;
    };
    const consumer = await begin({
      ...sink,
      deliver: (delivery) => {
        const arrives = delivery.ack.bind(delivery);
        sink.deliver(Object.assign(delivery, { ack: () => ack(arrives) }));
      },
    });
    if (!isKept) return consumer;
    this.kept = consumer;
    return { setPrefetch: async () => {}, cancel: async () => {}, close: async () => {} };
  }
}
