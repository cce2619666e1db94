import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { AlwaysOffSampler, AlwaysOnSampler, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { Bus, memory, rabbitmq } from '../src/index.js';
import { otel } from '../src/observe/otel/index.js';
import { removeFromBroker } from '../test/examples/remove-from-broker.js';

/**
 * `npm run measure:tracing`: what `otel()` costs a message that is published and handled, beside the bare SDK's calls for the same spans,
 * sampled and not. In memory, or on the RabbitMQ at AMQP_URL; in rounds of one kind after the other, in one process whose SDK is set up
 * throughout.
 */

const ROUNDS = 41;
const WARM_UP = 6;
const MESSAGES = 5_000;
const AT_ONCE = 100;

const SUPPRESSED = suppressTracing(ROOT_CONTEXT);
const url = process.env.AMQP_URL;
const isSampled = process.argv.includes('--sampled');

new NodeTracerProvider({ sampler: isSampled ? new AlwaysOnSampler() : new AlwaysOffSampler() }).register();
const tracer = trace.getTracer('measure');

const buses: Bus[] = [];

async function busOf(service: string, middleware: ReturnType<typeof otel>[]): Promise<() => Promise<void>> {
  const transport = url ? rabbitmq({ url }) : memory();
  const bus = new Bus({ service, prefix: service, transport, middleware, operatorControl: false });
  let left = 0;
  let done = () => {};
  const ended = () => {
    left -= 1;
    if (left === 0) done();
  };
  bus.handle('order.placed', async () => ended(), {
    queue: { type: 'classic', concurrency: AT_ONCE, prefetch: AT_ONCE },
  });
  buses.push(bus);
  await bus.start();
  return async () => {
    left = MESSAGES;
    const handled = new Promise<void>((resolve) => {
      done = resolve;
    });
    for (let sent = 0; sent < MESSAGES; sent += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, () => bus.publish('order.placed', PAYLOAD)));
    await handled;
  };
}

const PAYLOAD = { id: 1 };
const nothing = async () => {};

/** The same spans, by the SDK alone. */
async function bare(): Promise<void> {
  for (let sent = 0; sent < MESSAGES; sent += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, bareMessage));
}

async function bareMessage(): Promise<void> {
  const active = context.active();
  const send = tracer.startSpan('send', { kind: SpanKind.PRODUCER, attributes: attributes('send') }, active);
  const sending = trace.setSpan(active, send);
  const headers = {};
  propagation.inject(sending, headers);
  await context.with(sending, () => context.with(SUPPRESSED, nothing));
  send.end();
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  const options = { kind: SpanKind.CONSUMER, attributes: attributes('process') };
  const handling = tracer.startSpan('process', options, parent);
  const within = trace.setSpan(parent, handling);
  await context.with(within, nothing);
  handling.end();
  tracer.startSpan('settle', { kind: SpanKind.CLIENT, attributes: attributes('settle') }, within).end();
}

/** As many as `otel()` begins its spans with. */
const attributes = (operation: string) => ({
  'messaging.system.name': 'rabbitmq',
  'messaging.operation.name': operation,
  'messaging.operation.type': operation,
  'messaging.destination.name': 'hopline.events:order.placed',
  ...(operation === 'send' ? {} : { 'hopline.queue': 'measure' }),
});

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

const kinds = {
  without: await busOf('measure-without', []),
  with: await busOf('measure-with', [otel()]),
  bare,
};
const figures = { without: [] as number[], with: [] as number[], bare: [] as number[] };
const names = ['without', 'with', 'bare'] as const;
for (let round = 0; round < ROUNDS + WARM_UP; round += 1)
  for (const name of names) {
    const before = process.cpuUsage();
    await kinds[name]();
    const { user, system } = process.cpuUsage(before);
    if (round >= WARM_UP) figures[name].push((user + system) / MESSAGES);
  }
const ratios = figures.with.map(
  (all, round) => (all - (figures.without[round] as number)) / (figures.bare[round] as number),
);
const us = (name: (typeof names)[number]) => median(figures[name]).toFixed(2);
console.log(
  `${isSampled ? 'sampled' : 'unsampled'}: without ${us('without')} µs a message, with ${us('with')}, bare SDK ${us('bare')}; ` +
    `(with − without) / bare ${median(ratios).toFixed(2)}`,
);
for (const bus of buses) await bus.stop();
if (url)
  for (const name of ['measure-without', 'measure-with'])
    await removeFromBroker(url, { queues: [name], prefix: name });
process.exit(0);
