/** State of a bus: `new` until `start()`, and again if `start()` fails; `stopped` is final. */
export type BusState = 'new' | 'starting' | 'started' | 'stopping' | 'stopped';

/** Fields of an event about the bus as a whole. */
export interface LifecycleEvent {
  /** Name of the bus's service. */
  readonly service: string;
}

export interface StartFailedEvent extends LifecycleEvent {
  readonly error: Error;
}

export interface TopologyFailedEvent {
  readonly service: string;
  readonly error: Error;
}

/** Events of the bus as a whole: its start and its stop, its topology, an operator's commands. */
export interface BusLifeEventMap {
  /** `start()` was called. */
  'bus.starting': LifecycleEvent;
  /** The bus is connected and consumes. */
  'bus.started': LifecycleEvent;
  /** `start()` has rejected and cleaned up; it may be called again. */
  'bus.startFailed': StartFailedEvent;
  /** `stop()` was called: the bus takes no more messages. */
  'bus.stopping': LifecycleEvent;
  /** Everything is closed, or the bus was stopped before it started. */
  'bus.stopped': LifecycleEvent;
  /** The broker refused a declaration during the start, or an existing object differs from it. */
  'topology.failed': TopologyFailedEvent;
  /** An operator asks for a fresh process; the listener has to replace it, as `hopline work` does. */
  'control.restart': LifecycleEvent;
}
