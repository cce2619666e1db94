import type { BusEvents } from '../../events.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Emitter } from '../../util/emitter.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { CircuitBreakerSettings } from './option.js';

/** Pause of the lanes that share slots, as far as an open circuit needs it. */
export interface CircuitPause {
  /** Resolves when the lanes deliver nothing more. */
  add(why: 'circuit-open'): Promise<void>;
  remove(why: 'circuit-open'): void;
  /** Lets one message of this handler through. */
  letOne(handler: PlannedHandler): void;
  /** True while a message is tried, or waited for. */
  readonly isTrying: boolean;
  /** True if this is the message that was let through last. */
  isTried(work: Work): boolean;
}

export interface CircuitsOptions {
  readonly handlers: readonly (PlannedHandler & {
    readonly circuitBreaker: CircuitBreakerSettings | undefined;
  })[];
  /** Where fetched messages wait for a slot. */
  readonly gate: { takeWaiting(): Work[] };
  readonly pause: CircuitPause;
  readonly clock: Clock;
  readonly service: string;
  readonly events: Emitter<BusEvents>;
  returnUnstarted(waiting: readonly Work[]): void;
}

/**
 * Circuits of the handlers that share slots. While one handler fails too often nothing starts, nothing is consumed, and fetched
 * messages go back, for processes whose circuit is closed. After a pause one message at a time is tried; one that succeeds ends it.
 * What is fetched of other handlers to find that one message runs; more of this handler's waits for the next time.
 */
export class Circuits {
  private readonly breakers: ReadonlyMap<PlannedHandler, CircuitBreaker>;
  /** Handler whose circuit is open: one at a time, since nothing else runs then. */
  private broken: PlannedHandler | undefined;
  private timer: Timer | undefined;
  private stopped = false;

  constructor(private readonly options: CircuitsOptions) {
    this.breakers = new Map(
      options.handlers.flatMap((handler) =>
        handler.circuitBreaker ? [[handler, new CircuitBreaker(handler.circuitBreaker)]] : [],
      ),
    );
  }

  /** @param isFailure the attempt that has ended has thrown, or run too long */
  ended(work: Work, isFailure: boolean): void {
    const handler = work.match?.handler;
    const breaker = handler && this.breakers.get(handler);
    if (!handler || !breaker || this.stopped) return;
    // While it is open, only the message that is tried counts: what began before may have hung since the dependency went.
    if (this.broken && !this.isTried(work)) return;
    const change = breaker.ended(isFailure, this.options.clock.monotonic());
    if (change === 'closed') this.close(handler);
    else if (change !== undefined) this.open(handler, breaker);
  }

  /** Called when a message has ended: if it was the one that is tried, and it decided nothing, another is tried. */
  done(work: Work): void {
    if (this.broken && !this.stopped && this.isTried(work)) this.tryNext();
  }

  /** True if nothing is to begin but the message that is tried. */
  get isOpen(): boolean {
    return this.broken !== undefined;
  }

  /** Undefined for a handler without a breaker. */
  stateOf(handler: PlannedHandler): 'closed' | 'open' | 'trying' | undefined {
    if (!this.breakers.has(handler)) return undefined;
    if (this.broken !== handler) return 'closed';
    return this.options.pause.isTrying ? 'trying' : 'open';
  }

  /** Closes the circuit of a handler if it is open. A message that is tried goes on, and counts as others do. */
  reset(handler: PlannedHandler): void {
    if (this.broken !== handler || this.stopped) return;
    this.timer?.cancel();
    this.breakers.get(handler)?.reset();
    this.close(handler);
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private isTried(work: Work): boolean {
    const { pause } = this.options;
    return pause.isTrying && pause.isTried(work);
  }

  private open(handler: PlannedHandler, breaker: CircuitBreaker): void {
    const { gate, pause, clock, returnUnstarted } = this.options;
    const isFirst = this.broken === undefined;
    this.broken = handler;
    const pauseMs = breaker.nextPauseMs();
    this.emitOpened(handler, breaker, pauseMs);
    const pausing = pause.add('circuit-open');
    // Meanwhile an operator may have closed it.
    if (isFirst) void pausing.then(() => this.broken && returnUnstarted(gate.takeWaiting()));
    this.timer = clock.setTimer(() => void pausing.then(() => this.tryNext()), pauseMs);
  }

  private tryNext(): void {
    if (this.broken && !this.stopped) this.options.pause.letOne(this.broken);
  }

  private close(handler: PlannedHandler): void {
    const { pause, service, events } = this.options;
    this.broken = undefined;
    pause.remove('circuit-open');
    events.emit('circuit.closed', { service, handler: handler.name, queue: handler.queue });
  }

  private emitOpened(handler: PlannedHandler, breaker: CircuitBreaker, pauseMs: number): void {
    const { service, events } = this.options;
    const { name, queue } = handler;
    events.emit('circuit.opened', { service, handler: name, queue, ...breaker.counted, pauseMs });
  }
}
