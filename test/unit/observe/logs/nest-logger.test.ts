import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { ConsoleLogger, Logger as NestLogger } from '@nestjs/common';
import { Bus } from '../../../../src/bus.js';
import { logEvents } from '../../../../src/observe/logs/log-events.js';
import { nestLogger } from '../../../../src/observe/logs/nest-logger.js';
import { memory } from '../../../../src/transport/memory/index.js';
import { safeLogger } from '../../../../src/util/safe-logger.js';

/** What is written to standard output and error meanwhile, without colours unless it is to be as it is. */
async function written(
  write: () => unknown,
  colours?: 'as they are',
): Promise<{ readonly out: string; readonly err: string }> {
  const text = { stdout: '', stderr: '' };
  const originals = (['stdout', 'stderr'] as const).map((name) => {
    const { write: original } = process[name];
    process[name].write = (chunk: string | Uint8Array) => {
      text[name] += String(chunk);
      return true;
    };
    return () => {
      process[name].write = original;
    };
  });
  try {
    await write();
  } finally {
    for (const restore of originals) restore();
  }
  const shown = colours ? (its: string) => its : stripVTControlCharacters;
  return { out: shown(text.stdout), err: shown(text.stderr) };
}

const boom = new RangeError('boom');

describe("Nest's logger", () => {
  // An application without a logger, which a test may have made in this process, leaves all others without one.
  before(() => NestLogger.overrideLogger(new NestLogger()));

  it('writes the message with its fields, under its own context and level', async () => {
    const log = nestLogger(new NestLogger('Bus'));
    const { out } = await written(() => {
      log.info({ queue: 'shop' }, 'the bus has started');
      log.debug({}, 'a detail');
      log.warn({ attempt: 2 }, 'careful');
    });
    const [info, debug, warn] = out.split('\n');
    assert.match(info ?? '', /^\[Nest\] \d+ .* LOG \[Bus\] the bus has started \{"queue":"shop"\}/);
    assert.match(debug ?? '', / DEBUG \[Bus\] a detail \{\}/);
    assert.match(warn ?? '', / WARN \[Bus\] careful \{"attempt":2\}/);
  });

  it("gets an error's stack as its own, below the line", async () => {
    const log = safeLogger(nestLogger(new NestLogger('Bus')));
    const { err } = await written(() => log.error({ queue: 'shop', error: boom }, 'it failed'));
    const [line, ...stack] = err.split('\n');
    assert.match(
      line ?? '',
      / ERROR .*\[Bus\].*it failed \{"queue":"shop","err":\{"type":"RangeError","message":"boom"\}\}/,
    );
    assert.match(stack.join('\n'), /^RangeError: boom\n +at .*nest-logger/);
    const { out } = await written(() => log.warn({ error: boom }, 'tried again'));
    assert.match(out, /tried again \{.*\}\nRangeError: boom\n +at /);
  });

  it('sends no control characters of an error to a terminal', async () => {
    const log = safeLogger(nestLogger(new ConsoleLogger('Bus', { colors: false })));
    const wiped = new Error('\u001b[2Jwiped', { cause: new Error('\u0007rung') });
    const { out, err } = await written(() => {
      log.warn({ error: wiped }, 'tried again');
      log.error({ error: wiped }, 'it failed');
    }, 'as they are');
    assert.match(out + err, /wiped\n.*caused by Error: .rung.*wiped\n.*caused by Error: .rung/s);
    assert.doesNotMatch(out + err, /[^\P{Cc}\n\t]/u);
  });

  it('writes the fields as JSON beside the message, if it is told that it writes JSON', async () => {
    const log = nestLogger(new ConsoleLogger('Bus', { json: true }), { fields: 'object' });
    const { out } = await written(() => log.info({ queue: 'shop', attempt: 1 }, 'done'));
    const { level, context, message } = JSON.parse(out);
    assert.deepEqual(
      [level, context, message],
      ['log', 'Bus', { message: 'done', queue: 'shop', attempt: 1 }],
    );
  });

  it('says which levels it writes, so that nothing listens to the others', () => {
    const log = nestLogger(new ConsoleLogger('Bus', { logLevels: ['warn', 'error'] }));
    const levels = ['debug', 'info', 'warn', 'error'] as const;
    assert.deepEqual(levels.map(log.isLevelEnabled), [false, false, true, true]);
    const every = nestLogger(new NestLogger('Bus'));
    assert.deepEqual(levels.map(every.isLevelEnabled), [true, true, true, true]);
    const least = nestLogger({ log() {}, warn() {}, error() {} });
    assert.deepEqual(levels.map(least.isLevelEnabled), [false, true, true, true]);
  });

  it('takes the events of a bus, and what the bus logs itself', async () => {
    const log = nestLogger(new NestLogger('Bus'));
    const { out } = await written(async () => {
      const bus = new Bus({ service: 'shop', transport: memory(), log });
      logEvents(bus, { log });
      await bus.start();
      await bus.stop();
    });
    assert.match(out, / LOG .*the bus has started \{"event":"bus\.started","service":"shop"\}/);
  });
});
