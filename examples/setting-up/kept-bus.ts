import { Bus, memory, rabbitmq } from 'hopline';

const { AMQP_URL } = process.env;

function makeBus(): Bus {
  return new Bus({ service: 'shop', transport: AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory() });
}

// A reload runs this module again, and forgets what it exported; `globalThis` stays.
const kept = globalThis as { shopBus?: Bus };
kept.shopBus ??= makeBus();
const bus = kept.shopBus;

/** The one bus of this process, started. */
export async function startedBus(): Promise<Bus> {
  await bus.start();
  return bus;
}
