import { setTimeout as pause } from 'node:timers/promises';
import type { BusEvents } from '../../src/events.js';
import { memory, type Transport } from '../../src/index.js';
import { outgoingFields } from '../../src/message/wire/outgoing-fields.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { Names } from '../../src/topology/names.js';
import type { Delivery, Session } from '../../src/transport/transport.js';
import { Deadline } from '../../src/util/deadline.js';
import { Emitter } from '../../src/util/emitter.js';
import { silentLogger } from '../../src/util/logger.js';
import type { EventuallyOptions } from './eventually.js';
import type { PlanSession } from './port.js';
import type {
  ForeignClient,
  ForeignDelivery,
  ForeignMessage,
  TransportHarness,
} from './transport-harness.js';

/** Between two tries of `eventually`, of virtual time. */
const STEP_MS = 20;

/** Real time that `eventually` goes on for when its virtual time is over: zlib's threads know no virtual clock. */
const REAL_GRACE_MS = 1_000;

/** A broker of its own for each test, on a clock of its own. */
export class MemoryHarness implements TransportHarness {
  readonly clock = new ManualClock();
  readonly delayPrefix = 'hopline';
  readonly quorumPriorities = true;
  readonly countsNacks = true;
  readonly foreign: MemoryForeigner;
  private readonly shared: Transport;

  /** @param makeTransport an empty broker's */
  constructor(private readonly makeTransport = (clock: ManualClock): Transport => memory({ clock })) {
    this.shared = makeTransport(this.clock);
    this.foreign = new MemoryForeigner(this.shared, this.clock);
  }

  transport(): Transport {
    return this.shared;
  }

  nextProcess(): Transport {
    return this.makeTransport(this.clock);
  }

  readonly eventually = async <T>(
    fn: () => T | Promise<T>,
    { timeout = 10_000, interval = Math.max(STEP_MS, timeout / 1_000) }: EventuallyOptions = {},
  ): Promise<Exclude<T, false>> => {
    const endsAt = this.clock.monotonic() + timeout;
    let realEnd: number | undefined;
    for (;;) {
      await this.clock.settle();
      try {
        const value = await fn();
        if (value !== false) return value as Exclude<T, false>;
        throw new Error(`the condition was still false after ${timeout} ms of the clock`);
      } catch (error) {
        if (this.clock.monotonic() >= endsAt) {
          realEnd ??= performance.now() + REAL_GRACE_MS;
          if (performance.now() >= realEnd) throw error;
          await pause(5);
        }
      }
      await this.clock.advance(interval);
    }
  };

  /** Everything goes with the transport object. */
  async remove(): Promise<void> {}

  leaks(): string[] {
    return this.clock.armed > 0 ? [`${this.clock.armed} timers are armed`] : [];
  }

  close(): Promise<void> {
    return this.foreign.close();
  }
}

/** What RabbitMQ's clients do by the protocol, done at the port, where nothing of Hopline's is in the way. */
class MemoryForeigner implements ForeignClient {
  private opening: Promise<Session> | undefined;

  constructor(
    private readonly transport: Transport,
    private readonly clock: ManualClock,
  ) {}

  async publish({ body = '', properties = {}, ...address }: ForeignMessage): Promise<void> {
    const session = await this.session();
    await session.publish({
      to: 'exchange',
      ...address,
      ...outgoingFields(properties),
      body: Buffer.from(body),
      mustRoute: false,
      deadlineMs: 10_000,
    });
  }

  async take(queue: string): Promise<ForeignDelivery[]> {
    const taken: Delivery[] = [];
    const deliver = (delivery: Delivery) => {
      delivery.ack();
      taken.push(delivery);
    };
    const session = await this.session();
    const consumer = await session.consume(queue, { prefetch: 65_535 }, { deliver, lost: () => {} });
    await this.clock.settle();
    await consumer.close();
    return taken;
  }

  async bind(queue: string, exchange: string, pattern: string): Promise<void> {
    const bindings = [{ source: exchange, destination: queue, destinationType: 'queue' as const, pattern }];
    const own = { exchanges: [], queues: [], bindings };
    const session = (await this.session()) as PlanSession;
    await session.declarePlan({ own }, 'declare', new Deadline(this.clock, 10_000));
    await this.clock.settle();
  }

  async close(): Promise<void> {
    await (await this.opening)?.close(new Deadline(this.clock, 10_000));
  }

  private session(): Promise<Session> {
    this.opening ??= this.transport.open(
      {
        service: 'foreigner',
        names: new Names(),
        events: new Emitter<BusEvents>(() => {}),
        log: silentLogger,
        maxInFlight: 10_000,
        maxInFlightBytes: 2 ** 26,
      },
      new Deadline(this.clock, 10_000),
    );
    return this.opening;
  }
}
