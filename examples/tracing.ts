import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { Bus, memory, rabbitmq } from 'hopline';
import { otel } from 'hopline/otel';

// A service has an OTLPTraceExporter behind a BatchSpanProcessor here.
const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();

const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'shop', transport, middleware: [otel()], failureLog: false });

bus.handle('order.placed', (order, context) => context.send('email.confirm', order));
bus.handle(
  'email.confirm',
  (_order, { attempt }) => {
    if (attempt === 1) throw new Error('the mail server is away');
  },
  { queue: 'mails', retry: { backoff: '100ms' } },
);

const mailed = new Promise((resolve) =>
  bus.on('handler.succeeded', (event) => event.queue === 'mails' && resolve(event)),
);
await bus.start();
await bus.publish('order.placed', { id: 1 });
await mailed;
await bus.stop();

const spans = exporter.getFinishedSpans();
function tell(parent: string | undefined, indent: string): void {
  for (const span of spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)) {
    console.log(`${indent}${span.name} ${span.attributes['hopline.outcome'] ?? ''}`.trimEnd());
    tell(span.spanContext().spanId, `${indent}  `);
  }
}
tell(undefined, '');
