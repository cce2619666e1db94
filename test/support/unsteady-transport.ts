import { PublishRejectedError, type Transport } from '../../src/index.js';
import { addressOf } from '../../src/topology/address.js';
import type { Session, SessionOptions } from '../../src/transport/transport.js';
import type { Deadline } from '../../src/util/deadline.js';

/** A transport on which a test can make publishes to some exchanges fail, as a broker does that can't take them now. */
export class UnsteadyTransport implements Transport {
  /** Exchanges that take nothing at the moment. */
  refuses: RegExp | undefined;
  readonly kind: Transport['kind'];
  readonly clock: Transport['clock'];

  constructor(private readonly inner: Transport) {
    this.kind = inner.kind;
    this.clock = inner.clock;
  }

  async open(options: SessionOptions, deadline: Deadline): Promise<Session> {
    const session = await this.inner.open(options, deadline);
    const publish: Session['publish'] = async (message) => {
      if (this.refuses?.test(addressOf(options.names, message).exchange))
        throw new PublishRejectedError('refused for this test', 'Wait.');
      return session.publish(message);
    };
    // Everything else is the session's own.
    return Object.create(session, { publish: { value: publish } });
  }
}
