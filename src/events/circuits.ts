/** Fields of an event about a handler's circuit breaker. */
export interface CircuitEvent {
  readonly service: string;
  readonly handler: string;
  /** Queue of the handler, without a lane. */
  readonly queue: string;
}

export interface CircuitOpenedEvent extends CircuitEvent {
  /** Attempts within the breaker's window. */
  readonly attempts: number;
  /** Number of these attempts that failed. */
  readonly failures: number;
  /** Length of the queue's pause before one message is tried. */
  readonly pauseMs: number;
}

/** Events of handlers' circuit breakers. */
export interface CircuitEventMap {
  /** A queue is paused: the handler fails too often, or failed again on the message that was tried. */
  'circuit.opened': CircuitOpenedEvent;
  /** The message that was tried was handled: the queue goes on. */
  'circuit.closed': CircuitEvent;
}
