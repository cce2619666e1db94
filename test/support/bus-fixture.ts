import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { BusOptions } from '../../src/bus/options.js';
import type { HandlerContext } from '../../src/consume/attempt/context.js';
import {
  Bus,
  type BusEvents,
  type EventName,
  type Logger,
  type MessageContext,
  type Transport,
} from '../../src/index.js';
import { HEADER } from '../../src/message/headers.js';
import type { Headers } from '../../src/message/properties.js';
import {
  type Control,
  type ControlOptions,
  type Failures,
  type FailuresOptions,
  openControl,
  openFailures,
} from '../../src/operate.js';
import { Names } from '../../src/topology/names.js';
import type { SessionOptions } from '../../src/transport/transport.js';
import type { Clock } from '../../src/util/clock.js';
import { Deadline } from '../../src/util/deadline.js';
import { Emitter } from '../../src/util/emitter.js';
import { eventually } from './eventually.js';
import { type PlanSession, Port } from './port.js';
import { Trace, TracedTransport } from './traced-transport.js';
import type { ForeignDelivery, TransportHarness } from './transport-harness.js';

/** One run's names differ from those of any other run at the same broker, and each test's from the others'. */
const RUN = randomBytes(3).toString('hex');
let testsSoFar = 0;

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: object;
}

/**
 * What one test opens on a transport: buses and sessions with names of the test's own. All of it is closed and removed
 * by {@link end}, which fails if anything is left behind.
 */
export class BusFixture {
  readonly log: LogLine[] = [];
  readonly trace = new Trace();
  private readonly id = `${RUN}-${++testsSoFar}`;
  private readonly buses = new Set<Bus>();
  private readonly ports = new Set<Port>();
  private readonly desks = new Set<Failures | Control>();
  /** Errors in the log that a test has provoked. */
  private readonly expectedErrors: RegExp[] = [];

  constructor(readonly harness: TransportHarness) {}

  get foreign(): TransportHarness['foreign'] {
    return this.harness.foreign;
  }

  get eventually(): TransportHarness['eventually'] {
    return this.harness.eventually;
  }

  /** What the broker calls what the test calls `short`. */
  readonly name = (short: string): string => `${this.id}.${short}`;

  /** Names of this test's application. */
  get names(): Names {
    return new Names(this.id, this.harness.delayPrefix);
  }

  /** Exchange of this test's buses. */
  get events(): string {
    return `${this.id}.events`;
  }

  transport(): Transport {
    return this.traced(this.harness.transport());
  }

  traced(transport: Transport): Transport {
    return new TracedTransport(transport, this.trace);
  }

  /** Not started yet. On a transport of its own unless one is given: one bus is one process. */
  bus(service: string, options: Partial<BusOptions> = {}): Bus {
    const bus = new Bus({
      service: this.name(service),
      transport: this.transport(),
      prefix: this.id,
      delayPrefix: this.harness.delayPrefix,
      log: this.logger,
      // Handlers fail on purpose here, and an error that was not announced fails the test.
      failureLog: false,
      ...options,
    });
    this.buses.add(bus);
    return bus;
  }

  /** A handler that remembers its calls, and does what it is told with each. */
  recorder(then?: (call: Call) => unknown): Recorder {
    return new Recorder(this.harness.clock, then);
  }

  /** Started, with no handlers. */
  async publisher(options: Partial<BusOptions> = {}): Promise<Bus> {
    const bus = this.bus('publisher', options);
    await bus.start();
    return bus;
  }

  /** A session below any bus. */
  async port(options: Partial<SessionOptions> = {}, transport = this.transport()): Promise<Port> {
    const { clock } = this.harness;
    const events = new Emitter<BusEvents>((_name, error) => {
      throw error;
    });
    const limits = { maxInFlight: 10_000, maxInFlightBytes: 2 ** 26 };
    const session = await transport.open(
      { service: this.name('port'), names: this.names, events, log: this.logger, ...limits, ...options },
      new Deadline(clock, 10_000),
    );
    const port = new Port(session as PlanSession, clock, this.name);
    this.ports.add(port);
    return port;
  }

  /** The dead letters of this test's queues, by their short names. */
  failures(...queues: string[]): Promise<Failures> {
    return this.failuresWith({}, ...queues);
  }

  /** The same, for who has keys. */
  async failuresWith(
    keys: Pick<FailuresOptions, 'encryption' | 'others' | 'messages'>,
    ...queues: string[]
  ): Promise<Failures> {
    const failures = await openFailures({
      transport: this.transport(),
      queues: queues.map((queue) =>
        queue === 'lost' ? `${this.harness.delayPrefix}.delay.lost` : this.name(queue),
      ),
      prefix: this.id,
      delayPrefix: this.harness.delayPrefix,
      log: this.logger,
      ...keys,
    });
    this.desks.add(failures);
    return failures;
  }

  /** What an operator has of this test's buses. */
  async control(options: Partial<ControlOptions> = {}): Promise<Control> {
    const control = await openControl({
      transport: this.transport(),
      prefix: this.id,
      wait: '300ms',
      log: this.logger,
      ...options,
    });
    this.desks.add(control);
    return control;
  }

  /** What becomes of a promise that may wait for the transport's time to pass. */
  async outcome<T>(promise: Promise<T>, timeout = 40_000): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    await this.eventually(() => settled, { timeout });
    return promise;
  }

  /** Stops, and lets time pass if handlers need it. */
  stop(bus: Bus): Promise<void> {
    return this.outcome(bus.stop());
  }

  /** Waits for `count` dead letters of a queue and takes them out. */
  async deadLetters(queue: string, count = 1, timeout = 10_000): Promise<ForeignDelivery[]> {
    return this.taken(`${queue}.dead`, count, timeout);
  }

  async deadLetter(queue: string, timeout?: number): Promise<ForeignDelivery> {
    const [letter] = await this.deadLetters(queue, 1, timeout);
    return letter as ForeignDelivery;
  }

  /** Waits for `count` messages in a queue and takes them out. */
  async taken(queue: string, count: number, timeout = 10_000): Promise<ForeignDelivery[]> {
    const taken: ForeignDelivery[] = [];
    await this.eventually(
      async () => {
        taken.push(...(await this.foreign.take(queue)));
        assert.ok(taken.length >= count, `${taken.length} of ${count} messages in queue '${queue}'`);
      },
      { timeout },
    );
    assert.equal(taken.length, count, `messages in queue '${queue}'`);
    return taken;
  }

  expectError(message: RegExp): void {
    this.expectedErrors.push(message);
  }

  /** For `afterEach`. */
  async end(): Promise<void> {
    const { harness, trace } = this;
    await Promise.allSettled([...this.buses].map((bus) => this.stop(bus)));
    await Promise.allSettled([...this.desks].map((desk) => this.outcome(desk.close())));
    await Promise.allSettled([...this.ports].map((port) => this.outcome(port.close())));
    await harness.remove(trace);
    await harness.close();
    await eventually(() => assert.deepEqual([...this.open(), ...harness.leaks()], []), { timeout: 2_000 });
    const errors = this.log.filter(({ level, message }) => level === 'error' && !this.isExpected(message));
    assert.deepEqual(errors, [], 'errors were logged');
  }

  private open(): string[] {
    const { sessions, consumers } = this.trace;
    return [
      ...(sessions > 0 ? [`${sessions} sessions`] : []),
      ...consumers.map((queue) => `consumer of ${queue}`),
    ];
  }

  private isExpected(message: string): boolean {
    return this.expectedErrors.some((expected) => expected.test(message));
  }

  private readonly logger: Logger = {
    debug: (fields, message) => void this.log.push({ level: 'debug', fields, message }),
    info: (fields, message) => void this.log.push({ level: 'info', fields, message }),
    warn: (fields, message) => void this.log.push({ level: 'warn', fields, message }),
    error: (fields, message) => void this.log.push({ level: 'error', fields, message }),
  };
}

/** One call of a handler. */
export interface Call {
  readonly payload: unknown;
  readonly context: MessageContext;
  /** What the context said when it was called. */
  readonly attempt: number;
  readonly routingKey: string;
  /** Of the transport's clock, monotonic. */
  readonly at: number;
}

/** A handler that remembers its calls. */
export class Recorder {
  readonly calls: Call[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly then: (call: Call) => unknown = () => {},
  ) {}

  readonly handle = (payload: unknown, context: MessageContext): unknown => {
    const { attempt, routingKey } = context;
    const call = { payload, context, attempt, routingKey, at: this.clock.monotonic() };
    this.calls.push(call);
    return this.then(call);
  };

  get payloads(): unknown[] {
    return this.calls.map(({ payload }) => payload);
  }

  get keys(): string[] {
    return this.calls.map(({ routingKey }) => routingKey);
  }

  get attempts(): number[] {
    return this.calls.map(({ attempt }) => attempt);
  }

  at(index: number): Call {
    const call = this.calls[index];
    if (!call) throw new Error(`the handler was called ${this.calls.length} times only`);
    return call;
  }
}

/** Remembers events of a bus by name, in order. */
export function watch(bus: Bus, ...names: EventName[]): { name: EventName; event: BusEvents[EventName] }[] {
  const seen: { name: EventName; event: BusEvents[EventName] }[] = [];
  for (const name of names) bus.on(name, (event) => seen.push({ name, event }));
  return seen;
}

/** Our headers of a message, by their short names. */
export function ours(
  message: Pick<ForeignDelivery, 'properties'>,
): Partial<Record<keyof typeof HEADER, unknown>> {
  const { headers } = message.properties;
  const found = Object.entries(HEADER).filter(([, name]) => headers[name] !== undefined);
  return Object.fromEntries(found.map(([short, name]) => [short, headers[name]]));
}

/** As they came over the wire: ours, and those that the broker adds, are among them. */
export function wireHeaders(context: MessageContext): Headers {
  return (context as HandlerContext).work.received.delivery.properties.headers;
}

/** Headers as their publisher gave them: without ours, and without those that a broker adds on the way. */
export function publishersHeaders(headers: object): object {
  const added = /^(hopline-|x-death$|x-(first|last)-death-|x-(delivery|acquired)-count$)/;
  const plain = JSON.parse(JSON.stringify(headers)) as object;
  return Object.fromEntries(Object.entries(plain).filter(([name]) => !added.test(name)));
}
