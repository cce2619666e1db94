import { Bus, rabbitmq } from 'hopline';

// A reload runs this module again, and forgets what it exported; `globalThis` stays.
const kept = globalThis as { shopBus?: Bus };

/** The one bus of this process, started. Made by the first request: `next build` runs this module, too. */
export async function startedBus(): Promise<Bus> {
  kept.shopBus ??= new Bus({ service: 'shop', transport: rabbitmq({ url: process.env.AMQP_URL }) });
  await kept.shopBus.start();
  return kept.shopBus;
}
