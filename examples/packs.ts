import { Bus, defineMessage, memory, rabbitmq } from 'hopline';

interface Reading {
  readonly sensor: number;
  readonly celsius: number;
}

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'climate', transport });

// Single publishes of this definition are gathered: at most 100, for at most 5 ms.
const reading = defineMessage<Reading>('reading.taken', undefined, { pack: { max: 100, within: '5ms' } });

const warmest = new Map<number, number>();
bus.handle(reading, ({ sensor, celsius }) => {
  warmest.set(sensor, Math.max(celsius, warmest.get(sensor) ?? Number.NEGATIVE_INFINITY));
});

let left = 3_000;
const done = new Promise<void>((resolve) => {
  bus.on('handler.succeeded', () => {
    left -= 1;
    if (left === 0) resolve();
  });
});

await bus.start();

function* lastNight(): Generator<Reading> {
  for (let minute = 0; minute < 2_000; minute += 1) yield { sensor: minute % 4, celsius: minute / 50 };
}
// Ten messages for the broker, 2,000 for the handler.
await bus.publishMany(reading, lastNight(), { pack: 200 });

// Single publishes, each with its own promise: ten messages for the broker.
const now = Array.from({ length: 1_000 }, (_, sensor) =>
  bus.publish(reading, { sensor: sensor % 4, celsius: 21 }),
);
await Promise.all(now);

await done;
console.log(`warmest: ${[...warmest.values()].join(', ')} °C`);
await bus.stop();
