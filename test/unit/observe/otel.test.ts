import assert from 'node:assert/strict';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import pino from 'pino';
import { Bus, type Logger, memory, OptionsError } from '../../../src/index.js';
import { otel, tracedLogger } from '../../../src/observe/otel/index.js';
import '../../support/spans.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

describe('otel()', () => {
  it('names all that is wrong with its options at once', () => {
    assert.throws(
      () => otel({ linkAfter: 'soon' as never, tracer: {} as never, linkafter: 1 } as never),
      (error: OptionsError) => {
        assert.match(error.message, /unknown option linkafter, did you mean linkAfter\?/);
        assert.match(error.message, /linkAfter to be a duration/);
        assert.match(error.message, /tracer to be a Tracer/);
        return error instanceof OptionsError;
      },
    );
    assert.throws(() => otel('5m' as never), /expected its options to be an object, got "5m"/);
  });

  it('is for a bus: a handler’s middleware refuses it', () => {
    const bus = new Bus({ service: 'a', transport: memory(), middleware: [otel({ linkAfter: Infinity })] });
    bus.handle('k', () => {}, { middleware: [otel()] });
    assert.throws(() => bus.describe(), /a tracer, as otel\(\), is for a bus/);
  });
});

describe('tracedLogger()', () => {
  const lines: unknown[] = [];
  const note = (fields: object, message: string) => void lines.push({ ...fields, message });
  const log: Logger = tracedLogger({ debug: note, info: note, warn: note, error: note });

  it('adds the ids of the active span to each line, and nothing outside of one', () => {
    const span = trace.wrapSpanContext({ traceId, spanId, traceFlags: 1 });
    context.with(trace.setSpan(ROOT_CONTEXT, span), () => {
      for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({ level }, 'in it');
    });
    log.info({ level: 'none' }, 'outside');
    const ids = { trace_id: traceId, span_id: spanId, trace_flags: '01' };
    assert.deepEqual(lines, [
      ...['debug', 'info', 'warn', 'error'].map((level) => ({ ...ids, level, message: 'in it' })),
      { level: 'none', message: 'outside' },
    ]);
  });

  it('says which levels are written, as logEvents() asks, if its logger does', () => {
    const levels = ['debug', 'info', 'warn', 'error'];
    const traced = tracedLogger(pino({ level: 'warn', enabled: true })) as pino.Logger;
    assert.deepEqual(
      levels.filter((level) => traced.isLevelEnabled(level)),
      ['warn', 'error'],
    );
    assert.ok(!('isLevelEnabled' in log));
  });
});
