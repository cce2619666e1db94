import type { Transport } from '../../src/index.js';
import type { Control } from '../../src/operate.js';
import type { Session } from '../../src/transport/transport.js';
import type { BusFixture } from './bus-fixture.js';

/** What an operator does. */
export type OperatorControl = Pick<
  Control,
  | 'pause'
  | 'resume'
  | 'scale'
  | 'cancel'
  | 'restart'
  | 'status'
  | 'running'
  | 'slowest'
  | 'routes'
  | 'resetCircuit'
  | 'silence'
  | 'acknowledge'
  | 'limits'
>;

/** Asks as an operator does, who comes when the workers run; on a clock that stands still, time passes meanwhile. */
export function controlOf(fx: BusFixture): <T>(ask: (control: OperatorControl) => Promise<T>) => Promise<T> {
  let opened: Promise<Control> | undefined;
  return async (ask) => {
    opened ??= fx.outcome(fx.control());
    const control = await opened;
    return fx.outcome(
      ask({
        pause: (queue) => control.pause(queue),
        resume: (queue) => control.resume(queue),
        scale: (queue, concurrency) => control.scale(queue, concurrency),
        cancel: (id) => control.cancel(id),
        restart: (service) => control.restart(service),
        status: (options) => control.status(options),
        running: (expected) => control.running(expected),
        slowest: (expected) => control.slowest(expected),
        routes: (expected) => control.routes(expected),
        resetCircuit: (...asked) => control.resetCircuit(...asked),
        silence: (...asked) => control.silence(...asked),
        acknowledge: (pattern) => control.acknowledge(pattern),
        limits: control.limits,
      }),
    );
  };
}

/** The same transport, but for some methods of its sessions. */
export function withSession(
  transport: Transport,
  methodsOf: (session: Session) => Partial<Session>,
): Transport {
  const open: Transport['open'] = async (options, deadline) => {
    const session = await transport.open(options, deadline);
    const methods = methodsOf(session);
    return new Proxy(session, {
      get: (target, name) => {
        const value: unknown = Reflect.get(name in methods ? methods : target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return { kind: transport.kind, clock: transport.clock, open };
}
