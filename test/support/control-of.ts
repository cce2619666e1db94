import type { Control } from 'hopline';
import type { BusFixture } from './bus-fixture.js';

/** What the tests of commands ask for. */
export type OperatorControl = Pick<Control, 'pause' | 'resume' | 'scale' | 'cancel' | 'restart' | 'status'>;

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
      }),
    );
  };
}
