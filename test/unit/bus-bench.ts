import type { BusOptions } from '../../src/bus/options.js';
import { Bus } from '../../src/bus.js';
import type { BusEvents, EventName } from '../../src/events.js';
import type { MessageProperties } from '../../src/message/properties.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { memory } from '../../src/transport/memory/index.js';
import type { Delivery } from '../../src/transport/transport.js';
import type { Logger } from '../../src/util/logger.js';
import { Bench } from './memory/support.js';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** Buses on one memory broker whose time the test moves; what they log is kept, and in the end all are stopped. */
export class BusBench {
  readonly clock = new ManualClock();
  readonly transport = memory({ clock: this.clock });
  readonly log: LogLine[] = [];
  private readonly buses: Bus[] = [];
  private rawBench: Promise<Bench> | undefined;

  /** Not started yet. */
  bus(options: Partial<BusOptions> = {}): Bus {
    const bus = new Bus({
      service: 'svc',
      transport: this.transport,
      log: this.logger(),
      // Handlers fail on purpose here.
      failureLog: false,
      ...options,
    });
    this.buses.push(bus);
    return bus;
  }

  async started(options: Partial<BusOptions> = {}): Promise<Bus> {
    const bus = this.bus(options);
    await bus.start();
    return bus;
  }

  /** Publishes as a foreign client does: with no properties but those that are given. */
  async publishRaw(to: string, body: string, properties: MessageProperties = {}): Promise<void> {
    const bench = await this.raw();
    await bench.publish(to, body, properties);
  }

  /** Takes out what lies in a queue. */
  async taken(queue: string): Promise<Delivery[]> {
    const bench = await this.raw();
    return bench.taken(queue);
  }

  deadLetters(queue: string): Promise<Delivery[]> {
    return this.taken(`${queue}.dead`);
  }

  /** A session of its own on the same broker, for what a bus doesn't do. */
  raw(): Promise<Bench> {
    this.rawBench ??= new Bench(this.transport, this.clock).open();
    return this.rawBench;
  }

  /** Stops the buses; the broker and what it holds stay. */
  async closeBuses(withinMs = 0): Promise<void> {
    const stopping = Promise.all(this.buses.splice(0).map((bus) => bus.stop()));
    await this.clock.advance(withinMs);
    await stopping;
  }

  async close(): Promise<void> {
    // As long as stopping may take, so that a handler that a failed test left behind can't hold it up.
    await this.closeBuses(30_000);
    const raw = await this.rawBench;
    await raw?.close();
  }

  private logger(): Logger {
    const at = (level: string) => (fields: object, message: string) =>
      void this.log.push({ level, message, fields: fields as Record<string, unknown> });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** The names of these events, in the order in which they happen. */
export function recorded(bus: Bus, ...names: EventName[]): EventName[] {
  const seen: EventName[] = [];
  for (const name of names) bus.on(name, () => seen.push(name));
  return seen;
}

/** The data of one kind of event. */
export function heard<Name extends EventName>(bus: Bus, name: Name): BusEvents[Name][] {
  const all: BusEvents[Name][] = [];
  bus.on(name, (event) => all.push(event));
  return all;
}
