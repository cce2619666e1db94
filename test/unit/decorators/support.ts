import { container } from 'tsyringe';
import { handlers } from '../../../decorators/index.js';
import type { Class } from '../../../decorators/metadata.js';
import type { Bus } from '../../../src/bus.js';
import type { BusBench } from '../bus-bench.js';

/** A container that no other test sees. */
export const own = () => container.createChildContainer();

/** Publishes each key once, and waits until everything that follows from that is done. */
export async function published(bench: BusBench, bus: Bus, ...keys: string[]): Promise<void> {
  for (const key of keys) await bus.publish(key, { key });
  await bench.clock.settle();
}

/** What starting a bus with this class fails with. */
export async function refusal(bench: BusBench, target: Class): Promise<unknown> {
  const bus = bench.bus({ handlers: handlers([target], { container: own() }) });
  let refused: unknown;
  await bus.start().catch((error) => {
    refused = error;
  });
  return refused;
}
