import type { BusOptions } from '../../src/bus/options.js';
import { Bus, MessageContext } from '../../src/index.js';

export interface LatenessOptions {
  readonly transport: BusOptions['transport'];
  readonly prefix: string;
  readonly messages: number;
  /** Delays are drawn from 100 ms to this, in whole 100 ms. */
  readonly longestMs: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** What became of messages that were delayed at random. */
export interface Lateness {
  /** Milliseconds from the moment it was due to its handler; sorted. Never negative, or it came early. */
  readonly late: readonly number[];
  /** By message, the queues that it came to. */
  readonly arrivals: ReadonlyMap<number, readonly string[]>;
  /** By message, the queue that it was for. */
  readonly expected: ReadonlyMap<number, string>;
}

const SERVICES = ['one', 'two', 'three', 'four'] as const;

/**
 * Delays messages at random between four services: every other one is published with a delay, the others are released
 * with one by their handler. Both wait in the same levels.
 *
 * @param until resolves when enough has arrived: polled with the number so far
 */
export async function measureLateness(
  { transport, prefix, messages, longestMs, random }: LatenessOptions,
  until: (arrived: () => number) => Promise<void>,
): Promise<Lateness> {
  const late: number[] = [];
  const arrivals = new Map<number, string[]>();
  const expected = new Map<number, string>();
  const due = new Map<number, number>();
  const delayOf = () => 100 * (1 + Math.floor(random() * (longestMs / 100)));
  let arrived = 0;

  const handle = ({ number, delayMs }: { number: number; delayMs: number }, context: MessageContext) => {
    const dueAt = due.get(number);
    if (dueAt === undefined) {
      due.set(number, performance.now() + delayMs);
      context.release(delayMs);
      return;
    }
    late.push(performance.now() - dueAt);
    arrivals.set(number, [...(arrivals.get(number) ?? []), context.queue]);
    arrived += 1;
  };
  const buses = SERVICES.map((service) =>
    new Bus({ service: `${prefix}.${service}`, prefix, transport, concurrency: 100 }).handle(
      `${service}.#`,
      handle,
    ),
  );
  try {
    await Promise.all(buses.map((bus) => bus.start()));
    const publishing = Array.from({ length: messages }, (_, number) => {
      const service = SERVICES[number % SERVICES.length] as string;
      const bus = buses[(number + 1) % buses.length] as Bus;
      const delayMs = delayOf();
      expected.set(number, `${prefix}.${service}`);
      const payload = { number, delayMs };
      if (Math.floor(number / SERVICES.length) % 2 === 0) return bus.send(`${service}.released`, payload);
      due.set(number, performance.now() + delayMs);
      return bus.publish(`${service}.delayed`, payload, { delay: delayMs });
    });
    await Promise.all(publishing);
    await until(() => arrived);
  } finally {
    await Promise.all(buses.map((bus) => bus.stop()));
  }
  return { late: late.sort((left, right) => left - right), arrivals, expected };
}

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
