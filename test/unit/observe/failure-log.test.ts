import assert from 'node:assert/strict';
import type { BusEvents, DeadLetteredEvent } from '../../../src/events.js';
import { FailureLog } from '../../../src/observe/failure-log/failure-log.js';
import { Emitter } from '../../../src/util/emitter.js';
import type { Logger } from '../../../src/util/logger.js';
import { ManualClock } from '../../../src/util/manual-clock.js';

const about = {
  service: 'shop',
  queue: 'shop',
  handler: 'Invoices',
  exchange: 'hopline.events',
  routingKey: 'order.placed',
  messageId: 'm1',
  attempt: 1,
  tries: 5,
};

const dead: DeadLetteredEvent = {
  ...about,
  attempt: 5,
  sincePublishedMs: undefined,
  reason: 'exhausted',
  error: new Error('boom'),
  failedError: undefined,
  deadQueue: 'shop.dead',
};

describe('the log of failures', () => {
  const boom = new Error('boom');
  let clock: ManualClock;
  let events: Emitter<BusEvents>;
  let lines: string[];
  let fields: Record<string, unknown>[];

  function open(everyMs = 10_000): void {
    clock = new ManualClock();
    lines = [];
    fields = [];
    events = new Emitter<BusEvents>((_name, error) => {
      throw error;
    });
    const write = (level: string) => (its: object, message: string) => {
      lines.push(`${level} ${message}`);
      fields.push(its as Record<string, unknown>);
    };
    const log: Logger = {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    };
    new FailureLog(events, { log, clock, everyMs });
  }

  const retry = (more: Partial<BusEvents['message.retried']> = {}) =>
    events.emit('message.retried', { ...about, delayMs: 4_000, error: boom, ...more });
  const bury = (more: Partial<DeadLetteredEvent> = {}) =>
    events.emit('message.deadLettered', { ...dead, ...more });
  const times = (count: number, act: () => void) => {
    for (let each = 0; each < count; each += 1) act();
  };

  beforeEach(() => open());
  afterEach(() => {
    events.emit('bus.stopped', { service: 'shop' });
    assert.equal(clock.armed, 0);
  });

  it('has a line at once of a failure that is retried, with all that is known of it', () => {
    retry();
    assert.deepEqual(lines, ["warn handler 'Invoices' failed (attempt 1 of 5), retried in 4s: Error: boom"]);
    const { reason, deadQueue, ...known } = fields[0] ?? {};
    assert.deepEqual(known, { ...about, delayMs: 4_000, error: boom });
  });

  it('has an error of a dead letter, with where it lies and why', () => {
    bury();
    assert.deepEqual(lines, [
      "error handler 'Invoices' failed (attempt 5 of 5), dead-lettered to shop.dead as exhausted: Error: boom",
    ]);
    assert.equal(fields[0]?.deadQueue, 'shop.dead');
    assert.equal(fields[0]?.reason, 'exhausted');
  });

  it('blames no handler for what it was not given', () => {
    bury({ reason: 'invalid' });
    bury({
      reason: 'no-handler',
      error: new TypeError('none'),
      handler: undefined,
      tries: undefined,
      attempt: 1,
    });
    assert.match(lines[0] ?? '', /^error a message of queue 'shop' failed \(attempt 5 of 5\), .* as invalid/);
    assert.match(
      lines[1] ?? '',
      /^error a message of queue 'shop' failed \(attempt 1\), dead-lettered to shop.dead as no-handler/,
    );
  });

  it('says what else comes of a failure', () => {
    retry({ delayMs: 0, tries: Number.POSITIVE_INFINITY, handler: 'A' });
    events.emit('message.discarded', { ...about, handler: 'B', error: boom });
    assert.deepEqual(lines, [
      "warn handler 'A' failed (attempt 1), retried at once: Error: boom",
      "warn handler 'B' failed (attempt 1 of 5), discarded, as its policy says: Error: boom",
    ]);
  });

  it('says nothing of what a handler discards or releases', () => {
    events.emit('message.discarded', { ...about, error: undefined });
    events.emit('message.released', { ...about, delayMs: 1_000 });
    assert.deepEqual(lines, []);
    assert.equal(clock.armed, 0);
  });

  it('tells of a failed() that throws beside the dead letter', () => {
    bury({ failedError: new TypeError('no mail') });
    assert.match(
      lines[1] ?? '',
      /^error failed\(\) of handler 'Invoices' failed .* dead-lettered to shop\.dead all the same: TypeError: no mail$/,
    );
  });

  it('sums what follows, each ten seconds, with what became of it and the last of them', async () => {
    times(100_000, retry);
    times(41, bury);
    assert.equal(lines.length, 2, 'the first failure, and the first dead letter');
    await clock.advance(10_000);
    assert.deepEqual(lines.slice(2), [
      "error handler 'Invoices' failed 100039 times more in 10s (99999 retried, 40 dead-lettered), the last time with Error: boom",
    ]);
    const { count, retried, deadLettered, messageId, error } = fields[2] ?? {};
    assert.deepEqual([count, retried, deadLettered, messageId], [100_039, 99_999, 40, 'm1']);
    assert.equal(error, dead.error);
    times(3, retry);
    await clock.advance(10_000);
    assert.match(lines[3] ?? '', /^warn handler 'Invoices' failed 3 times more in 10s \(3 retried\)/);
    assert.equal(lines.length, 4);
  });

  it('sums each handler and class of errors for itself', async () => {
    const kinds = [{}, { error: new TypeError('boom') }, { handler: 'Mails' }];
    for (const kind of kinds) times(3, () => retry(kind));
    assert.equal(lines.length, 3);
    await clock.advance(10_000);
    assert.deepEqual(
      lines.slice(3).map((line) => line.replace(/, the last .*/, '')),
      [
        "warn handler 'Invoices' failed 2 times more in 10s (2 retried)",
        "warn handler 'Invoices' failed 2 times more in 10s (2 retried)",
        "warn handler 'Mails' failed 2 times more in 10s (2 retried)",
      ],
    );
  });

  it('writes the line of one that would be a sum of one', async () => {
    retry();
    retry({ attempt: 2 });
    await clock.advance(10_000);
    assert.equal(lines[1], "warn handler 'Invoices' failed (attempt 2 of 5), retried in 4s: Error: boom");
  });

  it('has a line at once again when there was none for as long, and waits for nothing then', async () => {
    retry();
    await clock.advance(20_000);
    assert.equal(clock.armed, 0);
    retry();
    assert.equal(lines.length, 2);
  });

  it('writes what it has counted when the bus stops, or has failed to start', () => {
    times(3, retry);
    events.emit('bus.stopped', { service: 'shop' });
    assert.match(lines[1] ?? '', /failed 2 times more/);
    times(3, retry);
    events.emit('bus.startFailed', { service: 'shop', error: boom });
    assert.equal(lines.length, 4);
    assert.equal(clock.armed, 0);
  });

  it('has a line for each, if there are to be no sums', () => {
    open(0);
    times(3, retry);
    assert.equal(lines.length, 3);
    assert.equal(clock.armed, 0);
  });

  it('keeps no more than it can hold of errors whose names are data', async () => {
    times(5_000, () => retry({ error: Object.assign(new Error('no'), { name: `E${Math.random()}` }) }));
    assert.equal(lines.length, 1_001);
    await clock.advance(10_000);
    assert.equal(lines.length, 1_002);
    assert.match(
      lines.at(-1) ?? '',
      /^warn 3999 failures of other kinds in 10s \(3999 retried\), the last: handler 'Invoices' failed \(/,
    );
  });
});
