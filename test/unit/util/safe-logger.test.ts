import assert from 'node:assert/strict';
import pino from 'pino';
import { type Logger, silentLogger, stderrLogger } from '../../../src/util/logger.js';
import { safeLogger } from '../../../src/util/safe-logger.js';
import { unreadable } from '../../support/unreadable.js';

/** What is written to standard error meanwhile. */
async function standardError(write: () => unknown): Promise<string> {
  const { write: original } = process.stderr;
  let text = '';
  process.stderr.write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  try {
    await write();
    await new Promise(setImmediate);
  } finally {
    process.stderr.write = original;
  }
  return text;
}

const throwing = (): never => {
  throw new Error('disk full');
};

describe('a logger that is made safe', () => {
  it('calls the methods of the one that it is made of on that one', () => {
    const lines: unknown[] = [];
    class Own implements Logger {
      readonly lines = lines;
      debug(fields: object, message: string) {
        this.lines.push(['debug', fields, message]);
      }
      info(fields: object, message: string) {
        this.lines.push(['info', fields, message]);
      }
      warn(fields: object, message: string) {
        this.lines.push(['warn', fields, message]);
      }
      error(fields: object, message: string) {
        this.lines.push(['error', fields, message]);
      }
    }
    const log = safeLogger(new Own());
    const error = new Error('as it is');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({ level, error }, 'said');
    assert.deepEqual(
      lines,
      ['debug', 'info', 'warn', 'error'].map((level) => [level, { level, err: error }, 'said']),
    );
  });

  it('writes warnings and errors to standard error when it throws, and of the rest only that it does, once', async () => {
    const log = safeLogger({ debug: throwing, info: throwing, warn: throwing, error: throwing });
    const text = await standardError(() => {
      for (const level of ['debug', 'info', 'warn', 'error', 'info'] as const)
        log[level]({ queue: 'billing' }, `a line of ${level}`);
    });
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, 3, text);
    assert.match(lines[0] ?? '', /the logger of the bus fails .*disk full/);
    assert.match(lines[1] ?? '', /hopline warn a line of warn .*"billing".*disk full/);
    assert.match(lines[2] ?? '', /hopline error a line of error .*"billing".*disk full/);
  });

  it('hears when it rejects: that does not end the process', async () => {
    const rejecting = async () => {
      throw new Error('connection lost');
    };
    const log = safeLogger({ ...silentLogger, error: rejecting as Logger['error'] });
    const text = await standardError(() => log.error({}, 'a line'));
    assert.match(text, /hopline error a line .*connection lost/);
  });

  it('hands what was thrown to pino in such a way that its stack is written', () => {
    const lines: string[] = [];
    const log = safeLogger(pino({}, { write: (line) => void lines.push(line) }));
    log.error({ error: new RangeError('too far') }, 'it failed');
    const { err } = JSON.parse(lines[0] ?? '');
    assert.equal(err.message, 'too far');
    assert.match(err.stack, /^RangeError: too far\n +at /);
  });

  for (const [what, error] of Object.entries(unreadable())) {
    it(`writes a line about an error with ${what}, to pino and to standard error`, async () => {
      const lines: string[] = [];
      const log = safeLogger(pino({}, { write: (line) => void lines.push(line) }));
      log.error({ queue: 'billing', error }, 'it failed');
      assert.equal(lines.length, 1);
      const entry = JSON.parse(lines[0] ?? '');
      assert.deepEqual([entry.queue, entry.msg], ['billing', 'it failed']);
      assert.match(
        await standardError(() => stderrLogger.error({ queue: 'billing', error }, 'it failed')),
        /hopline error it failed \{"queue":"billing"/,
      );
    });
  }
});

describe('standard error, as the log', () => {
  const log = safeLogger(stderrLogger);
  const error = Object.assign(new RangeError('too far', { cause: new Error('the sensor is off') }), {
    code: 'FAR',
  });

  it('has a line for people, and the stack below it, with those of the causes', async () => {
    const text = await standardError(() => log.warn({ queue: 'billing', error }, 'it failed'));
    const [first, second, ...more] = text.split('\n');
    assert.equal(
      first,
      'hopline warn it failed {"queue":"billing","err":{"type":"RangeError","message":"too far","code":"FAR"}}',
    );
    assert.equal(second, '    RangeError: too far');
    assert.match(more[0] ?? '', /^ {8}at .*safe-logger\.test/);
    assert.match(more.join('\n'), /^ {4}caused by Error: the sensor is off\n {8}at /m);
  });

  it('has nothing of what an error would show of itself, and no characters that command a terminal', async () => {
    const revealing = Object.assign(new Error('declined\u001b[2J'), {
      toJSON: () => ({ authorization: 'Bearer s3cret' }),
    });
    const write = () => log.error({ error: revealing }, `it failed: ${revealing.message}`);
    const text = await standardError(write);
    assert.match(
      text,
      /^hopline error it failed: declined\uFFFD\[2J \{"err":\{"type":"Error","message":"declined/,
    );
    assert.doesNotMatch(text, /s3cret|\p{Cc}\[2J/u);
    // JSON escapes none of these.
    const routingKey = 'order\u009b2J\u007f';
    assert.doesNotMatch(await standardError(() => log.warn({ routingKey }, 'it failed')), /[\u007f-\u009f]/);
    process.env.HOPLINE_LOG = 'json';
    try {
      assert.doesNotMatch(await standardError(write), /s3cret|\p{Cc}\[2J/u);
    } finally {
      delete process.env.HOPLINE_LOG;
    }
  });

  it('has an object in one line if the environment says so', async () => {
    process.env.HOPLINE_LOG = 'json';
    try {
      const text = await standardError(() => log.error({ queue: 'billing', error }, 'it failed'));
      assert.equal(text.trimEnd().split('\n').length, 1);
      const { time, err, ...rest } = JSON.parse(text);
      assert.deepEqual(rest, { level: 50, queue: 'billing', msg: 'it failed' });
      assert.ok(Math.abs(Date.now() - time) < 60_000);
      assert.equal(err.type, 'RangeError');
      assert.match(err.stack, /^RangeError: too far\n +at .*\ncaused by Error: the sensor is off\n/s);
    } finally {
      delete process.env.HOPLINE_LOG;
    }
  });
});
