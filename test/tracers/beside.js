import { deepEqual } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { removeFromBroker } from '../../dist/test/examples/remove-from-broker.js';
import { Bus, rabbitmq } from '../../lib/index.js';
import { otel } from '../../lib/otel.js';
import { spans } from './otel-beside.js';

/*
 * One message with `otel()` beside the instrumentation of the client library: published as the first step of a chain, tried three
 * times, dead-lettered, replayed, and followed by the next step. One trace, and each thing has one span.
 */

const [url = ''] = process.argv.slice(2);
const name = `beside-${randomUUID().slice(0, 8)}`;

/** @param {() => unknown} check */
async function until(check) {
  for (const endsAt = performance.now() + 20_000; ; await pause(20)) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > endsAt) throw error;
    }
  }
}

/** Spans as lines, each below its parent. @param {string | undefined} parent @returns {string[]} */
function lines(parent, indent = '') {
  return spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
    .toSorted((one, other) => one.startTime[0] - other.startTime[0] || one.startTime[1] - other.startTime[1])
    .flatMap((span) => [
      `${indent}${SpanKind[span.kind]} ${span.name.replaceAll(name, 'q')} ${span.attributes['hopline.outcome'] ?? ''}`.trimEnd(),
      ...lines(span.spanContext().spanId, `${indent}  `),
    ]);
}

const transport = rabbitmq({ url });
let isMended = false;
const bus = new Bus({
  ...{ service: name, prefix: name, transport, operatorControl: false, failureLog: false },
  middleware: [otel()],
});
bus.handle(
  ['first', 'second'],
  (_payload, { routingKey }) => {
    if (routingKey === 'first' && !isMended) throw new Error('away');
  },
  { queue: { name, type: 'classic' }, retry: { tries: 3, backoff: '100ms' } },
);
await bus.start();
const request = trace.getTracer('beside').startSpan('request', {}, ROOT_CONTEXT);
await context.with(trace.setSpan(ROOT_CONTEXT, request), () =>
  bus
    .chain([
      { key: 'first', payload: 1 },
      { key: 'second', payload: 2 },
    ])
    .dispatch(),
);
request.end();
const attempt = (/** @type {string} */ outcome, /** @type {string[]} */ ...below) => [
  '    CONSUMER q process',
  `      INTERNAL process q ${outcome}`,
  `        CLIENT settle q ${outcome}`,
  ...below.map((line) => `    ${line}`),
];
const ours = () => {
  const all = lines(undefined);
  return all.slice(all.indexOf('INTERNAL request'));
};
const failed = [
  'INTERNAL request',
  '  PRODUCER send first',
  ...attempt('retried'),
  ...attempt('retried'),
  ...attempt('deadLettered'),
];
await until(() => deepEqual(ours(), failed));
isMended = true;
// As an operator does: in a process without a tracer.
const command = join(import.meta.dirname, '../../lib/cli.js');
const args = ['failed', 'retry', '--all', '--yes', '--queue', name, '--prefix', name];
const env = { ...process.env, AMQP_URL: url };
await promisify(execFile)(process.execPath, [command, ...args], { env });
await until(() => deepEqual(ours(), [...failed, ...attempt('succeeded', ...attempt('succeeded'))]));
await bus.stop();
await removeFromBroker(url, { queues: [name], prefix: name });
process.stdout.write(`${ours().join('\n')}\n`);
process.exit(0);
