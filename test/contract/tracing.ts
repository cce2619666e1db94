import assert from 'node:assert/strict';
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-node';
import { defineMessage, defineRequest, type MessageContext } from '../../src/index.js';
import { otel, tracedLogger } from '../../src/observe/otel/index.js';
import { outbox } from '../../src/stores/postgres/index.js';
import { silentLogger } from '../../src/util/logger.js';
import { numbers } from '../support/port.js';
import { idOf, linked, Spans, traceOf } from '../support/spans.js';
import { all, jobs } from './batch-fixture.js';
import type { Theme } from './theme.js';
import { shopTests, soon } from './transactions.js';

const activeId = () => trace.getActiveSpan()?.spanContext().spanId;

export const tracing: Theme = (test) => {
  test('a message has one trace, from its publish through retries, its dead letter, its replay and the next step of its chain', async (fx) => {
    const spans = new Spans(fx);
    const state = { mended: false };
    const seen = fx.recorder(({ routingKey }) => {
      if (routingKey === 'first' && !state.mended) throw new TypeError('away');
    });
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    bus.handle(['first', 'second'], seen.handle, { retry: { tries: 3, backoff: [0, '100ms'] } });
    await bus.start();
    await spans.inSpan('request', () =>
      bus
        .chain([
          { key: 'first', payload: 1 },
          { key: 'second', payload: 2 },
        ])
        .dispatch(),
    );
    const desk = await fx.failures('mailer');
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 1));
    state.mended = true;
    await desk.retry({});
    await spans.are(
      'INTERNAL request',
      '  PRODUCER send first',
      '    CONSUMER process mailer retried!',
      '      CLIENT settle mailer retried',
      '    CONSUMER process mailer retried!',
      '      CLIENT settle mailer retried',
      '    CONSUMER process mailer deadLettered!',
      '      CLIENT settle mailer deadLettered',
      '    CONSUMER process mailer',
      '      CLIENT settle mailer',
      '      CONSUMER process mailer',
      '        CLIENT settle mailer',
    );
    assert.equal(new Set(spans.all.map(traceOf)).size, 1);
    const [first] = spans.named('process mailer');
    assert.equal(first?.events[0]?.name, 'exception');
    assert.equal(first?.attributes['error.type'], 'TypeError');
    assert.equal(first?.status.message, 'away');
  });

  test('spans have the names and attributes of the conventions, old and new, and what Hopline adds', async (fx) => {
    const spans = new Spans(fx);
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    await bus.handle('order.*', () => {}, { name: 'Mail' }).start();
    const order = defineMessage('order.*');
    await bus.publish(order, {}, { key: 'order.4711', messageId: 'm', correlationId: 'c' });
    await fx.eventually(() => assert.equal(spans.all.length, 3));
    const { kind } = fx.transport();
    const system = kind === 'amqp' ? 'rabbitmq' : 'hopline_memory';
    const common = {
      'messaging.system.name': system,
      'messaging.system': system,
      'messaging.destination.name': `${fx.events}:order.4711`,
      'rabbitmq.destination.routing_key': 'order.4711',
      'messaging.rabbitmq.destination.routing_key': 'order.4711',
      'messaging.message.id': 'm',
      'messaging.message.conversation_id': 'c',
      'hopline.service': fx.name('mailer'),
    };
    assert.deepEqual(spans.one('send order.*').attributes, {
      ...common,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.operation': 'publish',
    });
    const { 'hopline.wait_ms': waitMs, ...processed } = spans.one('process mailer').attributes;
    assert.equal(typeof waitMs, 'number');
    assert.deepEqual(processed, {
      ...common,
      'messaging.destination.name': `${fx.events}:order.4711:${fx.name('mailer')}`,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.operation': 'process',
      'hopline.queue': fx.name('mailer'),
      'hopline.handler': 'Mail',
      'hopline.attempt': 1,
      'hopline.redelivered': false,
      'hopline.outcome': 'succeeded',
    });
    assert.deepEqual(spans.one('settle mailer').attributes, {
      'messaging.system.name': system,
      'messaging.system': system,
      'messaging.destination.name': fx.name('mailer'),
      'messaging.operation.name': 'settle',
      'messaging.operation.type': 'settle',
      'messaging.operation': 'settle',
      'hopline.service': fx.name('mailer'),
      'hopline.queue': fx.name('mailer'),
      'hopline.outcome': 'succeeded',
    });
  });

  test('the spans of a request are of one conversation: its correlation id, not what its reply is found by', async (fx) => {
    const spans = new Spans(fx);
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    const Double = defineRequest<number, number>('double');
    await bus.reply(Double, (number) => 2 * number).start();
    assert.equal(await bus.request(Double, 1, { correlationId: 'c' }), 2);
    const conversations = () =>
      spans.all.flatMap(({ attributes }) => attributes['messaging.message.conversation_id'] ?? []);
    await fx.eventually(() => assert.deepEqual(conversations(), ['c', 'c']));
  });

  test('a handler runs in its span, with the baggage of its message, and what it publishes is below it', async (fx) => {
    const spans = new Spans(fx);
    const seen: unknown[] = [];
    const lines: object[] = [];
    const bus = fx.bus('mailer', {
      middleware: [spans.otel()],
      log: tracedLogger({ ...silentLogger, warn: (fields) => void lines.push(fields) }),
      concurrency: 1,
    });
    bus.handle(
      'one',
      async (_payload, context: MessageContext) => {
        context.log.warn({}, 'in the handler');
        seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value, activeId());
        await context.publish('two', {});
        seen.push(activeId());
      },
      { name: 'One' },
    );
    bus.handle('two', () => {
      seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value);
    });
    await bus.start();
    await bus.publish('one', {}, { headers: { baggage: 'tenant=acme' } });
    await spans.are(
      'PRODUCER send one',
      '  CONSUMER process mailer',
      '    PRODUCER send two',
      '      CONSUMER process mailer',
      '        CLIENT settle mailer',
      '    CLIENT settle mailer',
    );
    const first = spans
      .named('process mailer')
      .find(({ attributes }) => attributes['hopline.handler'] === 'One');
    assert.ok(first);
    assert.deepEqual(seen, ['acme', idOf(first), idOf(first), 'acme']);
    const { trace_id, span_id, trace_flags } = lines[0] as Record<string, unknown>;
    assert.deepEqual([trace_id, span_id, trace_flags], [traceOf(first), idOf(first), '01']);
  });

  test('what is released, discarded or skipped is no error, and what can not be read has a span without a handler’s run', async (fx) => {
    const spans = new Spans(fx);
    const bus = fx.bus('mailer', { middleware: [spans.otel()], concurrency: 1 });
    const calls: ((context: MessageContext) => void)[] = [
      (context) => context.release('100ms'),
      (context) => context.discard(),
      () => {},
    ];
    bus.handle('k', (_payload, context) => calls.shift()?.(context), { idempotent: {} });
    await bus.start();
    await bus.publish('k', 1);
    const attempts = (...ends: string[]) =>
      fx.eventually(() =>
        assert.deepEqual(
          spans
            .lines()
            .filter((line) => line.includes('process'))
            .map((line) => line.trim()),
          ends.map((end) => `CONSUMER process mailer${end}`),
        ),
      );
    await attempts(' released', ' discarded');
    await bus.publish('k', 2, { messageId: 'twice' });
    await attempts(' released', ' discarded', '');
    await bus.publish('k', 2, { messageId: 'twice' });
    await attempts(' released', ' discarded', '', ' skipped');
    const properties = { contentType: 'application/json' };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'k', body: '{', properties });
    await attempts(' released', ' discarded', '', ' skipped', ' deadLettered!');
    await fx.deadLetter(fx.name('mailer'));
  });

  test('a publish that fails is an error of its span', async (fx) => {
    const spans = new Spans(fx);
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    await bus.start();
    await assert.rejects(bus.send('nobody', 1), { name: 'UnroutableError' });
    await assert.rejects(bus.publish('', 1), { name: 'InvalidMessageError' });
    await assert.rejects(bus.publish('k', 1, { delay: 'soon' as never }), { name: 'OptionsError' });
    assert.deepEqual(spans.lines(), ['PRODUCER send nobody!', 'PRODUCER send !', 'PRODUCER send k!']);
    assert.equal(spans.one('send nobody').attributes['error.type'], 'UnroutableError');
  });

  test('a call of many has one span, and its payloads travel in packs as without it', async (fx) => {
    const spans = new Spans(fx);
    const seen = fx.recorder();
    const messages: number[] = [];
    fx.trace.onPublish = ({ body }) => void messages.push(body.toString().split('\n').length);
    const bus = fx.bus('mailer', { middleware: [spans.otel()] }).handle('k', seen.handle);
    await bus.start();
    await bus.publishMany('k', numbers(20), { pack: 10 });
    await fx.eventually(() => assert.equal(spans.all.length, 41));
    assert.deepEqual(
      messages.filter((lines) => lines > 1),
      [11, 11],
    );
    const send = spans.one('send k');
    assert.equal(send.attributes['messaging.batch.message_count'], 20);
    for (const process of spans.named('process mailer'))
      assert.equal(process.parentSpanContext?.spanId, idOf(send));
  });

  test('publishes that are gathered into a pack keep their own traces', async (fx) => {
    const spans = new Spans(fx);
    const sizes: number[] = [];
    fx.trace.onPublish = ({ body }) => void sizes.push(body.toString().trim().split('\n').length);
    const seen = fx.recorder(({ payload }) => {
      if (payload === '3') throw new Error('away');
    });
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    bus.handle('k', seen.handle, { retry: { tries: 2, backoff: '100ms' } });
    await bus.start();
    const packed = defineMessage('k', undefined, { pack: { max: 5, within: '50ms' } });
    const requests = numbers(5).map((number) =>
      spans.inSpan(`request ${number}`, () => bus.publish(packed, number, { headers: { tenant: 'acme' } })),
    );
    await Promise.all(requests);
    assert.deepEqual(sizes.slice(0, 1), [5]);
    const traced = (number: string, ...attempts: string[]) => [
      `INTERNAL request ${number}`,
      '  PRODUCER send k',
      ...attempts.flatMap((end) => [
        `    CONSUMER process mailer${end}${end === '' ? '' : '!'}`,
        `      CLIENT settle mailer${end}`,
      ]),
    ];
    await fx.deadLetter(fx.name('mailer'));
    await fx.eventually(() =>
      assert.deepEqual(
        spans.lines(),
        numbers(5).flatMap((number) =>
          number === '3' ? traced('3', ' retried', ' deadLettered') : traced(number, ''),
        ),
      ),
    );
    for (const { context } of seen.calls) {
      assert.deepEqual(Object.keys(context.headers).toSorted(), ['tenant', 'traceparent']);
    }
  });

  test('a pack is closed when it has no room for more traces', async (fx) => {
    const spans = new Spans(fx);
    const sizes: number[] = [];
    fx.trace.onPublish = ({ body }) => void sizes.push(body.toString().trim().split('\n').length);
    const bus = fx.bus('mailer', { middleware: [spans.otel()] }).handle('k', () => {});
    await bus.start();
    const packed = defineMessage('k', undefined, { pack: { max: 1_000, within: '50ms' } });
    await fx.outcome(
      Promise.all(numbers(600).map((number) => spans.inSpan('request', () => bus.publish(packed, number)))),
    );
    assert.ok(sizes.length === 3 && (sizes[0] ?? 0) > 200, sizes.join());
    await fx.eventually(() => assert.equal(spans.named('settle mailer').length, 600));
    assert.equal(new Set(spans.all.map(traceOf)).size, 600);
  });

  test('a call of a handler of many is linked with all its messages, and what it publishes for one is, too', async (fx) => {
    const spans = new Spans(fx);
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    bus.handle(
      'k',
      async (_payloads: unknown[], contexts: MessageContext[]) => {
        await contexts[1]?.publish('other', 1);
      },
      { bulk: { max: 2, within: '10s' } },
    );
    await bus.start();
    await Promise.all(numbers(2).map((number) => spans.inSpan('request', () => bus.publish('k', number))));
    await fx.eventually(() => assert.equal(spans.named('settle mailer').length, 2));
    const call = spans.one('handle mailer');
    const processes = spans.named('process mailer');
    assert.deepEqual(linked(call).toSorted(), processes.map(idOf).toSorted());
    assert.equal(call.attributes['messaging.batch.message_count'], 2);
    const other = spans.one('send other');
    assert.equal(other.parentSpanContext?.spanId, idOf(call));
    const second = processes.find((span) => traceOf(span) !== traceOf(call));
    assert.deepEqual(linked(other), [idOf(second ?? assert.fail())]);
  });

  test('a message that is delayed for long begins a trace of its own, which is linked with the caller’s', async (fx) => {
    const spans = new Spans(fx);
    const bus = fx.bus('mailer', { middleware: [spans.otel({ linkAfter: '200ms' })] });
    bus.handle('k', () => {});
    await bus.start();
    await spans.inSpan('request', async () => {
      await bus.publish('k', 1, { delay: '200ms' });
      await bus.publish('k', 2, { delay: '300ms' });
    });
    await spans.are(
      'INTERNAL request',
      '  PRODUCER send k',
      '    CONSUMER process mailer',
      '      CLIENT settle mailer',
      '  PRODUCER send k',
      'PRODUCER send k',
      '  CONSUMER process mailer',
      '    CLIENT settle mailer',
    );
    const [, long = assert.fail(), own = assert.fail()] = spans
      .named('send k')
      .toSorted(
        (left, right) =>
          linked(left).length - linked(right).length ||
          Number(!left.parentSpanContext) - Number(!right.parentSpanContext),
      );
    assert.deepEqual([linked(long), linked(own)], [[idOf(own)], [idOf(long)]]);
  });

  test('the jobs of a batch and what tells of its end are in the trace of its dispatch', async (fx) => {
    const spans = new Spans(fx);
    const middleware = [spans.otel()];
    const bus = fx.bus('worker', { middleware });
    bus.handle('job', (payload, { batch }) => (payload === 0 ? batch?.add(jobs(1, 'more')) : undefined), {
      queue: fx.name('jobs'),
    });
    bus.handle('more', () => {}, { queue: fx.name('more') });
    bus.handle('news.#', () => {}, { queue: fx.name('news') });
    await bus.start();
    await spans.inSpan('request', () => all(bus.batch(jobs(2))).dispatch());
    await fx.eventually(() => assert.equal(spans.named('settle news').length, 2));
    assert.equal(new Set(spans.all.map(traceOf)).size, 1);
    const dispatch = spans.one('send batch');
    assert.ok(!('messaging.destination.name' in dispatch.attributes));
    // One that a job has added by then is among them.
    assert.ok(Number(dispatch.attributes['messaging.batch.message_count']) >= 2);
    for (const span of [...spans.named('process jobs'), ...spans.named('process news')])
      assert.equal(span.parentSpanContext?.spanId, idOf(dispatch));
    const adding = spans.named('process jobs').map(idOf);
    assert.ok(adding.includes(spans.one('process more').parentSpanContext?.spanId ?? ''));
  });

  test('beside an instrumentation of the client library its span is the parent, and nothing is doubled', async (fx) => {
    const spans = new Spans(fx);
    // As the instrumentation does: a span from the delivery on, below that of the headers.
    fx.trace.around = ({ properties: { headers } }, deliver) => {
      const parent = propagation.extract(ROOT_CONTEXT, headers);
      const span = spans.tracer.startSpan('library', { kind: SpanKind.CONSUMER }, parent);
      context.with(trace.setSpan(parent, span), deliver);
      span.end();
    };
    const bus = fx.bus('mailer', { middleware: [spans.otel()], concurrency: 1 });
    let tries = 0;
    bus.handle(
      'k',
      () => {
        tries += 1;
        if (tries === 1) throw new Error('away');
      },
      { retry: { backoff: 0 } },
    );
    await bus.start();
    await bus.publish('k', 1);
    await spans.are(
      'PRODUCER send k',
      '  CONSUMER library',
      '    INTERNAL process mailer retried!',
      '      CLIENT settle mailer retried',
      '    INTERNAL process mailer',
      '      CLIENT settle mailer',
    );
  });

  test('messages are written under suppression, which stores and handlers are not', async (fx) => {
    const spans = new Spans(fx);
    const written: boolean[] = [];
    fx.trace.onPublish = () => void written.push(isTracingSuppressed(context.active()));
    const handled: boolean[] = [];
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    bus.handle(
      ['first', 'second'],
      (_payload, { attempt }) => {
        handled.push(isTracingSuppressed(context.active()));
        if (attempt === 1) throw new Error('away');
      },
      { retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    await bus
      .chain([
        { key: 'first', payload: 1 },
        { key: 'second', payload: 1 },
      ])
      .dispatch();
    await fx.eventually(() => assert.equal(handled.length, 4));
    await fx.stop(bus);
    assert.deepEqual([new Set(written), new Set(handled)], [new Set([true]), new Set([false])]);
    assert.ok(written.length >= 4);
  });

  shopTests(test)(
    'what is added to an outbox goes on with the trace of its transaction, and so does the next step of a chain',
    async (fx, shop) => {
      const spans = new Spans(fx);
      const middleware = [spans.otel()];
      const bus = shop.bus('shop', { middleware, relayOutbox: true });
      bus.handle(
        ['order.placed', 'step.one', 'step.two', 'from.inbox'],
        (_payload, messages) =>
          messages.routingKey === 'order.placed' ? messages.publish('from.inbox', 1) : undefined,
        { inbox: {}, concurrency: 1 },
      );
      await bus.start();
      await spans.inSpan('request', () =>
        shop.transaction(async (client) => {
          await outbox(bus, client).publish('order.placed', 1);
          await outbox(bus, client)
            .chain([
              { key: 'step.one', payload: 1 },
              { key: 'step.two', payload: 1 },
            ])
            .dispatch();
        }),
      );
      await soon(fx, () => assert.equal(spans.named('settle shop').length, 4));
      assert.deepEqual(
        spans.lines().filter((line) => !line.includes('settle')),
        [
          'INTERNAL request',
          '  PRODUCER send order.placed',
          '    CONSUMER process shop',
          '      PRODUCER send from.inbox',
          '        CONSUMER process shop',
          '  PRODUCER send step.one',
          '    CONSUMER process shop',
          '      CONSUMER process shop',
        ],
      );
      assert.equal(spans.one('send order.placed').attributes['hopline.in_outbox'], true);
    },
  );

  test('what is not sampled has its trace, in which handlers run and chains go on, and no spans', async (fx) => {
    const spans = new Spans(fx, new AlwaysOffSampler());
    const ids: unknown[] = [];
    const seen = fx.recorder(({ attempt }) => {
      ids.push(trace.getActiveSpan()?.spanContext().traceId);
      if (attempt === 1) throw new Error('away');
    });
    const bus = fx.bus('mailer', { middleware: [spans.otel()] });
    bus.handle(['first', 'second'], seen.handle, { retry: { tries: 2, backoff: [0] } });
    await bus.start();
    const steps = [
      { key: 'first', payload: 1 },
      { key: 'second', payload: 2 },
    ];
    await bus.chain(steps).dispatch();
    await fx.eventually(() => assert.equal(ids.length, 4));
    await assert.rejects(bus.send('nobody', 1), { name: 'UnroutableError' });
    const parents = seen.calls.map(({ context: { headers } }) => String(headers.traceparent));
    assert.ok(
      parents.every((parent) => /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/.test(parent)),
      parents.join(),
    );
    assert.deepEqual(new Set(parents.map((parent) => parent.slice(3, 35))), new Set(ids));
    assert.equal(new Set(ids).size, 1);
    assert.deepEqual(spans.all, []);
  });

  test('a traceparent that a call names is the parent where no span is active, and linked where one is', async (fx) => {
    const spans = new Spans(fx);
    const bus = await fx.publisher({ middleware: [spans.otel()] });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await bus.publish('alone', 1, { headers: { traceparent } });
    await spans.inSpan('request', () => bus.publish('below', 1, { headers: { traceparent } }));
    assert.equal(spans.one('send alone').parentSpanContext?.spanId, 'b7ad6b7169203331');
    assert.equal(spans.one('send below').parentSpanContext?.spanId, idOf(spans.one('request')));
    assert.deepEqual(linked(spans.one('send below')), ['b7ad6b7169203331']);
  });

  test('without an SDK nothing is added, and the trace of a message is carried on as without a tracer', async (fx) => {
    const seen = fx.recorder(({ context, routingKey }) =>
      routingKey === 'one' ? context.publish('two', 1) : undefined,
    );
    const bus = fx.bus('mailer', { middleware: [otel()] }).handle(['one', 'two'], seen.handle);
    await bus.start();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await bus.publish('one', 1, { headers: { traceparent } });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    for (const { context } of seen.calls) assert.equal(context.headers.traceparent, traceparent);
  });
};
