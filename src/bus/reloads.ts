import type { BusEvents } from '../events.js';
import type { Emitter } from '../util/emitter.js';
import type { BusSettings } from './options.js';

/** Found again by a reload that runs these modules, too. */
const RUNNING = Symbol.for('hopline.running');

type Running = Pick<BusSettings, 'service' | 'transport'>;

/**
 * Warns at the start of a bus beside which an earlier one of its service still runs, on connections of its own. A
 * development server makes another one with each reload of the module that makes it, and nobody stops the old ones.
 * Such servers set `NODE_ENV=development`; elsewhere several buses of one service may well be intended.
 */
export function warnOfReloads(
  { service, transport, log }: Pick<BusSettings, 'service' | 'transport' | 'log'>,
  events: Emitter<BusEvents>,
): void {
  if (process.env.NODE_ENV !== 'development' || transport.kind !== 'amqp') return;
  const scope = globalThis as { [RUNNING]?: Set<Running> };
  scope[RUNNING] ??= new Set();
  const running = scope[RUNNING];
  const bus: Running = { service, transport };
  events.on('bus.started', () => {
    const others = [...running].filter((each) => each.service === service && each.transport !== transport);
    running.add(bus);
    if (others.length > 0)
      log.warn(
        { service, running: others.length + 1 },
        'another bus of this service runs in this process, on connections of its own: if a module that makes it was loaded again, keep the bus on globalThis (docs/frameworks.md)',
      );
  });
  events.on('bus.stopped', () => running.delete(bus));
}
