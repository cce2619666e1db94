import assert from 'node:assert/strict';
import { EVENT_NAMES } from '../../../../src/events/event-names.js';
import type { LogFields } from '../../../../src/events/log-fields.js';
import type { BusEvents, EventName } from '../../../../src/events.js';
import type { LogLevel } from '../../../../src/observe/failure-log/sum.js';
import { EVENT_LINES } from '../../../../src/observe/logs/catalogue.js';
import { EventLog } from '../../../../src/observe/logs/event-log.js';
import { type LogEventsOptions, logSettings } from '../../../../src/observe/logs/options.js';
import { ManualClock } from '../../../../src/testing/manual-clock.js';
import { Emitter } from '../../../../src/util/emitter.js';
import type { Logger } from '../../../../src/util/logger.js';
import { EVENTS } from './events.js';

/** The compiler names what is missing here. */
const FIELDS: Readonly<Record<keyof LogFields, true>> = {
  ...{ event: true, service: true, queue: true, handler: true, exchange: true, routingKey: true },
  ...{ requestId: true, from: true },
  ...{ messageId: true, attempt: true, tries: true, outcome: true, reason: true, delayMs: true },
  ...{
    durationMs: true,
    sincePublishedMs: true,
    waitMs: true,
    lost: true,
    deadQueue: true,
    isAnswered: true,
    err: true,
  },
  ...{ connection: true, address: true, channel: true, retryInMs: true, refused: true, losses: true },
  ...{
    since: true,
    attempts: true,
    failures: true,
    pauseMs: true,
    batchId: true,
    published: true,
    unpublished: true,
  },
  ...{ lagMs: true, count: true, retried: true, discarded: true, deadLettered: true },
  ...{ total: true, pending: true, done: true, failed: true, skipped: true, progress: true },
};

describe('the log of events', () => {
  let clock: ManualClock;
  let events: Emitter<BusEvents>;
  let lines: string[];
  let fields: LogFields[];
  let log: EventLog;

  function open(options: Partial<LogEventsOptions> & { writes?: readonly LogLevel[] } = {}): void {
    const { writes, ...given } = options;
    clock = new ManualClock();
    lines = [];
    fields = [];
    events = new Emitter<BusEvents>((_name, error) => {
      throw error;
    });
    const write = (level: string) => (its: object, message: string) => {
      lines.push(`${level} ${message}`);
      fields.push(its);
    };
    const logger: Logger & { isLevelEnabled(level: LogLevel): boolean } = {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      isLevelEnabled: (level) => writes === undefined || writes.includes(level),
    };
    log = new EventLog(events, logSettings({ log: logger, ...given }), clock);
  }

  const emit = <Name extends EventName>(name: Name, more: Partial<BusEvents[Name]> = {}) =>
    events.emit(name, { ...EVENTS[name], ...more });
  const times = (count: number, act: () => void) => {
    for (let each = 0; each < count; each += 1) act();
  };

  beforeEach(() => open());
  afterEach(() => {
    log.stop();
    assert.equal(clock.armed, 0);
  });

  it('has a line of each event, in words, with fields that are in the table', () => {
    open({ levels: { 'message.published': 'debug' } });
    for (const name of EVENT_NAMES) emit(name);
    assert.equal(lines.length, EVENT_NAMES.length);
    for (const [index, line] of lines.entries()) {
      assert.match(line, /^(debug|info|warn|error) \S/);
      assert.doesNotMatch(line, /undefined|\[object|NaN/);
      const names = Object.keys(fields[index] ?? {});
      assert.deepEqual(
        names.filter((name) => !Object.hasOwn(FIELDS, name)),
        [],
        line,
      );
      assert.ok(!Object.values(fields[index] ?? {}).includes(undefined), line);
    }
    assert.deepEqual(
      fields.map(({ event }) => event),
      EVENT_NAMES,
    );
  });

  it('says of a message where it is from and what became of it', () => {
    emit('handler.succeeded', { tries: Number.POSITIVE_INFINITY });
    const about = { queue: 'shop', handler: 'Invoices', exchange: 'hopline.events', messageId: 'm1' };
    assert.deepEqual(fields, [
      {
        ...{ event: 'handler.succeeded', service: 'shop', routingKey: 'order.placed', attempt: 1, ...about },
        ...{ durationMs: 12.35, lost: false, sincePublishedMs: 40, outcome: 'succeeded' },
      },
    ]);
  });

  it('gives a name one type: what two events call alike has two names', () => {
    emit('connection.down');
    emit('outbox.relayed');
    emit('consumer.paused');
    assert.equal(fields[0]?.refused, false);
    assert.deepEqual([fields[1]?.refused, fields[1]?.unpublished], [undefined, 1]);
    assert.equal(fields[2]?.reason, 'operator');
  });

  it('gives an error to the logger as err, whatever was thrown', () => {
    emit('connection.down');
    emit('handler.failed', { error: 'only text' });
    assert.equal(fields[0]?.err, EVENTS['connection.down'].error);
    assert.match(String(fields[1]?.err), /only text/);
  });

  it('has the levels of the options, and no line where these say false', () => {
    open({ levels: { 'handler.succeeded': 'info', 'connection.up': false } });
    emit('handler.succeeded');
    emit('connection.up');
    assert.deepEqual(lines, ["info handler 'Invoices' has handled message m1 'order.placed' in 12ms"]);
    assert.equal(events.has('connection.up'), false);
  });

  it('does not listen to what its logger does not write', () => {
    open({ writes: ['warn', 'error'] });
    for (const name of EVENT_NAMES) {
      const { level } = EVENT_LINES[name];
      const isWritten = level === 'warn' || level === 'error' || name === 'bus.stopped';
      assert.equal(events.has(name), isWritten, name);
    }
  });

  it('tells what is routine quietly, unless the options say how', () => {
    emit('message.discarded');
    emit('consumer.paused', { why: 'higher-lane' });
    emit('consumer.paused');
    assert.deepEqual(
      lines.map((line) => line.split(' ')[0]),
      ['debug', 'debug', 'info'],
    );
    open({ levels: { 'consumer.paused': 'warn' } });
    emit('consumer.paused', { why: 'higher-lane' });
    assert.match(lines[0] ?? '', /^warn queue 'shop' is paused \(higher-lane\)$/);
  });

  it('sums warnings and errors that repeat, each kind for itself', async () => {
    times(30, () => emit('connection.down'));
    times(5, () => emit('connection.down', { connection: 'publish' }));
    assert.deepEqual(lines, [
      'warn the consume connection to rabbit:5672 is down, next try in 500ms: Error: boom',
      'warn the publish connection to rabbit:5672 is down, next try in 500ms: Error: boom',
    ]);
    await clock.advance(10_000);
    assert.deepEqual(lines.slice(2), [
      'warn 29 times more in 10s, the last: the consume connection to rabbit:5672 is down, next try in 500ms: Error: boom',
      'warn 4 times more in 10s, the last: the publish connection to rabbit:5672 is down, next try in 500ms: Error: boom',
    ]);
    assert.deepEqual(
      fields.map(({ count }) => count),
      [undefined, undefined, 29, 4],
    );
  });

  it('tells of failures in the words of the log of failures, and sums them as it does', async () => {
    times(3, () => emit('message.retried'));
    times(2, () => emit('message.deadLettered', { failedError: new TypeError('no mail') }));
    await clock.advance(10_000);
    assert.deepEqual(lines, [
      "warn handler 'Invoices' failed (attempt 1 of 5), retried in 4s: Error: boom",
      "error handler 'Invoices' failed (attempt 1 of 5), dead-lettered to shop.dead as exhausted: Error: boom",
      "error failed() of handler 'Invoices' failed (attempt 1 of 5), its message is dead-lettered to shop.dead all the same: TypeError: no mail",
      "error handler 'Invoices' failed 3 times more in 10s (2 retried, 1 dead-lettered), the last time with Error: boom",
      "error failed() of handler 'Invoices' failed (attempt 1 of 5), its message is dead-lettered to shop.dead all the same: TypeError: no mail",
    ]);
    assert.deepEqual(
      fields.map(({ outcome }) => outcome),
      ['retried', 'deadLettered', 'deadLettered', 'deadLettered', 'deadLettered'],
    );
    assert.deepEqual([fields[3]?.count, fields[3]?.retried, fields[3]?.deadLettered], [3, 2, 1]);
  });

  it('has a line for each of what is below a warning, however many there are', () => {
    times(50, () => emit('handler.succeeded'));
    assert.equal(lines.length, 50);
    assert.equal(clock.armed, 0);
  });

  it('has a line for each, if there are to be no sums', () => {
    open({ every: 0 });
    times(3, () => emit('connection.down'));
    assert.equal(lines.length, 3);
  });

  it('writes what it has counted when the bus stops, or has failed to start, and then waits for nothing', () => {
    times(3, () => emit('connection.down'));
    emit('bus.startFailed');
    assert.match(lines.at(-1) ?? '', /^warn 2 times more/);
    assert.equal(clock.armed, 0);
    emit('bus.startFailed');
    assert.match(lines.at(-1) ?? '', /^error the bus could not start: Error: boom$/);
    assert.equal(clock.armed, 0);
  });

  it('writes no more once it is stopped', () => {
    times(3, () => emit('connection.down'));
    log.stop();
    emit('connection.down');
    assert.equal(lines.length, 2);
    assert.equal(events.has('connection.down'), false);
  });

  it('refuses options that it does not know, all at once', () => {
    const levels = { 'handler.suceeded': 'info', 'bus.started': 'loud' };
    assert.throws(
      () => logSettings({ log: { log() {} }, levels, every: 'often' } as unknown as LogEventsOptions),
      ({ message }: Error) => {
        assert.match(message, /log to be a logger, .*nestLogger\(\) and consoleLogger\(\) of hopline\/logs/);
        assert.match(message, /unknown option levels\.handler\.suceeded, did you mean handler\.succeeded\?/);
        assert.match(
          message,
          /levels\.bus\.started to be 'debug', 'info', 'warn', 'error' or false, got "loud"/,
        );
        assert.match(message, /every to be a duration/);
        return true;
      },
    );
  });
});
