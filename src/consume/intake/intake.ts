import { isPack, Pack, receivedItems } from '../../features/pack/pack.js';
import { ttlOf } from '../../message/wire/outgoing-fields.js';
import type { Match } from '../../pipeline/handler.js';
import { COME_BACK_SOON } from '../../pipeline/outcome.js';
import { type Received, receive } from '../../pipeline/received.js';
import { Work } from '../../pipeline/work.js';
import type { Names } from '../../topology/names.js';
import type { Delivery } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { type Registry, registryFor } from '../handlers/registry.js';
import type { ServedLane } from '../handlers/serving.js';
import type { Gate } from './gate.js';
import { SUSPECT_AFTER } from './prefetch-window.js';

export interface IntakeOptions {
  readonly names: Names;
  readonly maxBodyBytes: number;
  readonly lanes: readonly ServedLane[];
  readonly gate: Pick<Gate, 'push'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Called when all messages of a delivery have been pushed. */
  onAdmitted(): void;
}

/** Makes work of the lanes' deliveries: reads each, finds its handler, and takes packs apart. */
export class Intake {
  /** Handlers of each lane, by routing key. */
  private readonly registries: readonly Registry[];
  /** For each lane, whether it is one of requests. */
  private readonly haveRequests: readonly boolean[];

  constructor(private readonly options: IntakeOptions) {
    const subscriptions = new Set(options.lanes.map(({ subscription }) => subscription));
    const registryOf = new Map([...subscriptions].map((each) => [each, registryFor(each)]));
    this.registries = options.lanes.map(({ subscription }) => registryOf.get(subscription) as Registry);
    this.haveRequests = options.lanes.map(({ subscription }) => subscription.kind === 'requests');
  }

  /** @param lane position among the lanes of the slot group */
  admit(delivery: Delivery, lane: number): void {
    const { names, maxBodyBytes, gate, onAdmitted } = this.options;
    const received = receive(delivery, names);
    const match = this.registries[lane]?.find(received.exchange, received.routingKey);
    // A pack over the cap is dead-lettered for that, and one without a handler comes back as it is.
    if (this.haveRequests[lane]) this.admitRequest(received, match, lane);
    else if (match && isPack(delivery) && delivery.body.length <= maxBodyBytes)
      this.admitPack(received, match, lane);
    else gate.push(new Work(received, match, lane));
    onAdmitted();
  }

  /** The broker ends a request that waits there; this process one that waits here. */
  private admitRequest(received: Received, match: Match | undefined, lane: number): void {
    const { clock, gate } = this.options;
    const work = new Work(received, match, lane);
    const ttlMs = ttlOf(received.delivery.properties.expiration);
    if (ttlMs !== undefined) work.overAt = clock.monotonic() + ttlMs;
    gate.push(work);
  }

  private admitPack(received: Received, match: Match, lane: number): void {
    const { gate } = this.options;
    const { delivery } = received;
    let pack: Pack;
    try {
      pack = new Pack(delivery);
    } catch (error) {
      const broken = new Work(received, match, lane);
      broken.decided = { kind: 'dead-letter', reason: 'undecodable', error };
      gate.push(broken);
      return;
    }
    // One message of the pack may be what kills the process: each then travels on with a delivery limit of its own.
    const decided = delivery.deliveryCount >= SUSPECT_AFTER ? COME_BACK_SOON : undefined;
    for (const item of receivedItems(received, pack)) {
      const work = new Work(item, match, lane);
      work.decided = decided;
      gate.push(work);
    }
  }
}
