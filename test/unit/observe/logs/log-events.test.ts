import assert from 'node:assert/strict';
import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import pino from 'pino';
import { Bus } from '../../../../src/bus.js';
import { OptionsError } from '../../../../src/errors.js';
import { consoleLogger } from '../../../../src/observe/logs/console-logger.js';
import { logEvents } from '../../../../src/observe/logs/log-events.js';
import { memory } from '../../../../src/transport/memory/index.js';
import type { Logger } from '../../../../src/util/logger.js';
import { eventually } from '../../../support/eventually.js';

/** What has been written to a stream, as lines. */
function captured() {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  return { stream, lines: () => text.split('\n').filter((line) => line !== '') };
}

type PinoLine = Readonly<Record<string, unknown>> & { readonly err?: { readonly stack: string } };

describe('the events of a bus in a log', () => {
  let bus: Bus;
  const own: string[] = [];
  const ownLog: Logger = {
    debug: () => {},
    info: () => {},
    warn: (_fields, message) => own.push(`warn ${message}`),
    error: (_fields, message) => own.push(`error ${message}`),
  };

  beforeEach(() => {
    own.length = 0;
    bus = new Bus({ service: 'shop', transport: memory(), log: ownLog });
    bus.handle('fine', () => {}, { name: 'Fine' });
    bus.handle(
      'bad',
      () => {
        throw new RangeError('boom');
      },
      { name: 'Bad', retry: { tries: 1 } },
    );
  });
  afterEach(() => bus.stop());

  /** Handles one message, and dead-letters one. */
  async function run(): Promise<void> {
    const ends: string[] = [];
    bus.on('handler.succeeded', () => ends.push('fine'));
    bus.on('message.deadLettered', () => ends.push('bad'));
    await bus.start();
    await bus.publish(
      'fine',
      { password: 'never shown' },
      { messageId: 'm1', headers: { secret: 'hidden' } },
    );
    await bus.publish('bad', { password: 'never shown' }, { messageId: 'm2' });
    await eventually(() => assert.equal(ends.length, 2));
    await bus.stop();
  }

  it("are written by pino, in pino's levels, with the error's stack, without payloads and headers", async () => {
    const { stream, lines } = captured();
    logEvents(bus, { log: pino({ base: null, level: 'debug' }, stream) });
    await run();
    const written = lines().map((line): PinoLine => JSON.parse(line));
    const find = (event: string) => written.find((line) => line.event === event);
    assert.deepEqual(
      ['bus.starting', 'bus.started', 'message.deadLettered'].map((event) => find(event)?.level),
      [20, 30, 50],
    );
    const { time: _, durationMs, sincePublishedMs, waitMs, ...known } = find('handler.succeeded') ?? {};
    assert.deepEqual(known, {
      ...{ level: 20, event: 'handler.succeeded', service: 'shop', queue: 'shop', handler: 'Fine' },
      ...{ exchange: 'hopline.events', routingKey: 'fine', messageId: 'm1', attempt: 1, tries: known.tries },
      ...{ lost: false, outcome: 'succeeded', msg: known.msg },
    });
    assert.equal(typeof durationMs, 'number');
    assert.equal(typeof sincePublishedMs, 'number');
    assert.match(String(waitMs), /^\d+(\.\d\d?)?$/);
    assert.match(find('message.deadLettered')?.err?.stack ?? '', /RangeError: boom\n +at .*log-events/);
    assert.doesNotMatch(lines().join(), /never shown|hidden/);
  });

  it('take the place of the lines of failures that the bus writes, until they are ended', async () => {
    const { stream, lines } = captured();
    const end = logEvents(bus, { log: pino(stream) });
    await bus.start();
    const bad = () => lines().filter((line) => /'Bad' failed/.test(line)).length;
    await bus.publish('bad', {});
    await eventually(() => assert.equal(bad(), 1));
    assert.deepEqual(own, []);
    end();
    await bus.publish('bad', {});
    await eventually(() => assert.equal(own.length, 1));
    assert.match(own[0] ?? '', /^error handler 'Bad' failed/);
    assert.equal(bad(), 1);
  });

  it('leave the lines of failures to the bus if they are to have none', async () => {
    const { stream, lines } = captured();
    const levels = {
      ...{ 'message.retried': false, 'message.discarded': false },
      ...{ 'message.deadLettered': false, 'message.failed': false },
    };
    logEvents(bus, { log: pino(stream), levels } as Parameters<typeof logEvents>[1]);
    await run();
    assert.match(own[0] ?? '', /^error handler 'Bad' failed/);
    assert.doesNotMatch(lines().join(), /'Bad' failed/);
  });

  it('leave the lines of failures to the bus if their logger writes none', async () => {
    const { stream, lines } = captured();
    logEvents(bus, { log: pino({ level: 'silent' }, stream) });
    await run();
    assert.match(own[0] ?? '', /^error handler 'Bad' failed/);
    assert.deepEqual(lines(), []);
  });

  it('are written by a console, message first, harmless for a terminal', async () => {
    const [out, err] = [captured(), captured()];
    logEvents(bus, { log: consoleLogger(new Console(out.stream, err.stream)) });
    bus.handle('esc.*', () => {
      throw new Error('\u001b[2Jwiped 100%s');
    });
    bus.on('message.retried', () => {});
    await bus.start();
    await bus.publish('esc.a', {});
    await eventually(() => assert.match(err.lines().join('\n'), /wiped/));
    await bus.stop();
    assert.ok(out.lines().includes("the bus has started { event: 'bus.started', service: 'shop' }"));
    const [line = ''] = err.lines();
    assert.match(line, /^handler '.*' failed \(attempt 1 of \d+\), retried in .*: Error: .*wiped 100%s \{/);
    assert.doesNotMatch(`${out.lines().join('\n')}${err.lines().join('\n')}`, /[^\P{Cc}\n\t]/u);
  });

  it('are not listened to below the level of a console', () => {
    const levels = ['debug', 'info', 'warn', 'error'] as const;
    const { stream } = captured();
    const of = (...given: [{ level: 'debug' | 'error' }?]) =>
      levels.map(consoleLogger(new Console(stream), ...given).isLevelEnabled);
    assert.deepEqual(of(), [false, true, true, true]);
    assert.deepEqual(of({ level: 'debug' }), [true, true, true, true]);
    assert.deepEqual(of({ level: 'error' }), [false, false, false, true]);
  });

  it("refuse Nest's own logger by naming what makes it one, as the bus does", () => {
    const nest = { log() {}, error() {}, warn() {}, debug() {} } as unknown as Logger;
    const named = (error: unknown) =>
      error instanceof OptionsError &&
      /nestLogger\(\) and consoleLogger\(\) of hopline\/logs/.test(error.message);
    assert.throws(() => logEvents(bus, { log: nest }), named);
    assert.throws(() => new Bus({ service: 'a', transport: memory(), log: nest }), named);
  });
});
