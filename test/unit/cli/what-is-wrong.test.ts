import assert from 'node:assert/strict';
import { verdictOf } from '../../../src/cli/output/what-is-wrong.js';
import type { HandlerReport } from '../../../src/control/handler-report.js';
import type { ProcessReport } from '../../../src/control/queue-report.js';
import { NOW, PROCESS, statusOf } from './statuses.js';

const verdict = (...given: Parameters<typeof statusOf>) => verdictOf(statusOf(...given), NOW);
const wrongOf = (...given: Parameters<typeof statusOf>) => verdict(...given).wrong;

const [GROUP] = PROCESS.slotGroups;
const processWith = (
  group: Partial<ProcessReport['slotGroups'][number]>,
  more: Partial<ProcessReport> = {},
): ProcessReport => ({ ...PROCESS, ...more, slotGroups: GROUP ? [{ ...GROUP, ...group }] : [] });

const error = (kind: string, more: Partial<HandlerReport['errors'][number]> = {}) => ({
  ...{ kind, message: 'boom', count: 1, lastAt: NOW - 5_000 },
  ...more,
});

describe('what is wrong, by a status', () => {
  it('is nothing where all is well', () => {
    assert.deepEqual(verdict(), { wrong: [], unknown: [] });
  });

  it('is a queue that holds messages and that nobody consumes', () => {
    const abandoned = { consuming: 0, serving: 0, consumers: 0, ready: 1_200, oldestMs: undefined };
    assert.deepEqual(wrongOf(abandoned), ["queue 'shop.Pay' holds 1,200 messages, and nobody consumes it"]);
    assert.equal(wrongOf({ consumers: 0, ready: 3 }).length, 1);
    assert.deepEqual(wrongOf({ ...abandoned, ready: 0 }), []);
  });

  it('is no queue that its process does not consume for a reason: an open circuit, a higher lane', () => {
    assert.deepEqual(wrongOf({ consuming: 0, consumers: 0, ready: 3, oldestMs: undefined }), []);
    assert.deepEqual(wrongOf({ consuming: 0, oldestMs: undefined }), []);
  });

  it('is a message that waits for long, with the slots if they are why', () => {
    const oldestMs = 12 * 60_000;
    assert.deepEqual(wrongOf({ ready: 40, oldestMs: 59_999 }), []);
    assert.deepEqual(wrongOf({ ready: 40, oldestMs }), [
      "the oldest message of queue 'shop.Pay' has waited for 12m",
    ]);
    const busy = [processWith({ running: 10 }), processWith({ running: 10 }, { pid: 4712 })];
    assert.deepEqual(wrongOf({ ready: 40, oldestMs }, {}, { processes: busy }), [
      "the oldest message of queue 'shop.Pay' has waited for 12m, and all 20 slots are busy",
    ]);
    const half = [processWith({ running: 10 }), processWith({ running: 9 }, { pid: 4712 })];
    assert.doesNotMatch(wrongOf({ ready: 40, oldestMs }, {}, { processes: half }).join(), /busy/);
  });

  it('is a handler that fails, with what it mostly fails of', () => {
    const errors = [error('TimeoutError', { count: 2 }), error('TypeError', { count: 9 })];
    assert.deepEqual(wrongOf({}, { failureRate: 0.04, errors }), []);
    assert.deepEqual(wrongOf({}, { failureRate: 0.4, errors }), [
      "handler 'Pay' of queue 'shop.Pay' fails 40 % of its attempts, mostly TypeError: boom",
    ]);
    assert.match(
      wrongOf({}, { failureRate: 1, errors: errors.slice(0, 1) }).join(),
      /fails 100 % of its attempts, with TimeoutError: boom$/,
    );
  });

  it('blames no error from before the window, however frequent it was', () => {
    const errors = [error('Late'), error('Early', { count: 900, lastAt: NOW - 3_600_000 })];
    assert.match(wrongOf({}, { failureRate: 0.5, errors }).join(), /, with Late: boom$/);
    // If the clock of the process is another, the latest is the best guess.
    assert.match(wrongOf({}, { failureRate: 0.5, errors: errors.slice(1) }).join(), /, with Early: boom$/);
  });

  it('is an attempt that runs for longer than its timeout', () => {
    assert.deepEqual(wrongOf({}, { longestMs: 60_000 }), []);
    assert.deepEqual(wrongOf({}, { longestMs: 150_000 }), [
      "an attempt of handler 'Pay' has run for 3m, longer than its timeout of 1m: it ignores context.signal",
    ]);
  });

  it('is an open circuit, a process that holds a message, an event loop that stood still, a pause', () => {
    const processes = [processWith({ held: true }, { lagMs: 2_000 })];
    const wrong = wrongOf(
      { paused: true, ready: 7, consumers: 0, consuming: 0 },
      { circuitsOpen: 2, errors: [error('Error ECONNREFUSED')] },
      { processes },
    );
    assert.deepEqual(wrong, [
      "process 4711 of shop on web-1 begins nothing of queue 'shop.Pay': a retry or a dead letter can't be published",
      "the circuit of handler 'Pay' is open in 2 processes, so queue 'shop.Pay' waits there, with Error ECONNREFUSED: boom",
      'the event loop of process 4711 of shop on web-1 stood still for 2s: a handler computes without a pause',
      "queue 'shop.Pay' is paused by an operator, and holds 7 messages",
    ]);
  });

  it('names the worst first', () => {
    const all = wrongOf(
      { oldestMs: 70_000 },
      { failureRate: 0.2, longestMs: 61_000, circuitsOpen: 1 },
      { processes: [processWith({ held: true })] },
    );
    const order = [/begins nothing/, /circuit.* in 1 process,/, /fails 20 %/, /oldest/, /its timeout/];
    assert.equal(all.length, order.length);
    for (const [place, pattern] of order.entries()) assert.match(all[place] ?? '', pattern);
  });

  it('is that nobody answers', () => {
    assert.deepEqual(wrongOf({}, {}, { processes: [], queues: [], handlers: [] }), [
      'no process has answered: none runs, or none with this prefix',
    ]);
  });

  it('says beside it what is not known: who consumes a queue, what is paused', () => {
    const { wrong, unknown } = verdict({ consuming: 0, serving: 0 }, {}, { paused: undefined });
    assert.deepEqual(wrong, []);
    assert.match(unknown[0] ?? '', /^which queues are paused is not known/);
    assert.match(unknown[1] ?? '', /^queue 'shop\.Pay' has 1 consumer, and none answered/);
  });

  it('shows control characters in what others have named, and obeys none', () => {
    const evil = 'evil\u001b]0;owned\u0007\u001b[2J\r\nall is well';
    const [note] = verdict({ queue: evil, serving: 0 }).unknown;
    assert.match(note ?? '', /^queue 'evil\\x1b\]0;owned\\x07\\x1b\[2J all is well' has 1 consumer/);
    const errors = [error('Error', { message: evil })];
    assert.match(wrongOf({}, { failureRate: 1, errors }).join(), /Error: evil\\x1b\]0;owned/);
  });
});
