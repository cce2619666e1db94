import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { printStatus } from '../../../src/cli/output/status-tables.js';
import { Terminal } from '../../../src/cli/output/terminal.js';
import type { StatusReport } from '../../../src/control/results.js';
import { NOW, PROCESS, statusOf } from './statuses.js';

/** What a terminal of 120 columns shows. */
function shown(status: StatusReport): string {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
  let text = '';
  stdout.on('data', (chunk) => {
    text += chunk;
  });
  const streams = [new PassThrough(), stdout, new PassThrough()];
  printStatus(new Terminal(...(streams as unknown as [never, never, never]), {}), status, NOW);
  return stripVTControlCharacters(text);
}

const errors = [
  {
    kind: 'TypeError',
    message: `x is not a function${', and so on'.repeat(20)}`,
    count: 9,
    lastAt: NOW - 3_000,
  },
  { kind: 'HandlerTimeoutError', message: 'no end', count: 1_200, lastAt: NOW + 50 },
];

describe('the tables of a status', () => {
  it('begin with what is wrong, or that nothing is', () => {
    assert.match(shown(statusOf()), /^nothing is wrong\n\nSERVICE /);
    assert.match(
      shown(statusOf({}, {}, { paused: undefined })),
      /^nothing known is wrong\nnot known: which queues/,
    );
    assert.match(
      shown(statusOf({ consumers: 0, ready: 3 })),
      /^WHAT IS WRONG\nqueue 'shop.Pay' holds 3 messages, and nobody consumes it\n\nSERVICE /,
    );
  });

  it('have the oldest message, the share of failures, the wait, and the longest run beside its timeout', () => {
    const text = shown(statusOf({ ready: 3, oldestMs: 90_000 }, { failureRate: 0.4, failures: 17, errors }));
    assert.match(text, /^QUEUE +READY +CONSUMERS +OLDEST +STATE\nshop\.Pay +3 +1 +2m +consumed$/m);
    assert.match(text, /^HANDLER .* LONGEST +WAITED P95 +FAILING +FAILED +DEAD +CIRCUIT$/m);
    assert.match(text, /^Pay +shop\.Pay +1 +12 +40ms +120ms +800ms\/1m +20ms +40% +17 +0 +closed$/m);
    assert.match(text, /^Pay +TypeError +9 +3s ago +x is not a function, and so/m);
    assert.match(text, /^Pay +HandlerTimeoutError +1,200 +0ms ago +no end$/m);
  });

  it('have the versions of the applications where a process tells its own', () => {
    assert.match(shown(statusOf()), /^SERVICE .* LOOP LAG$/m);
    const [old, young] = [
      { ...PROCESS, pid: 1 },
      { ...PROCESS, pid: 2, version: '1.4.2' },
    ];
    const text = shown(statusOf({}, {}, { processes: [young, old] }));
    assert.match(text, /^SERVICE .* LOOP LAG +VERSION$/m);
    assert.match(text, /^shop +web-1:1 .* -$/m);
    assert.match(text, /^shop +web-1:2 .* 1\.4\.2$/m);
  });

  it('say so where something is not known', () => {
    const unknown = { failureRate: undefined, longestMs: undefined, waitMs: undefined, runtimeMs: undefined };
    const text = shown(statusOf({ oldestMs: undefined }, { ...unknown, circuitsOpen: undefined }));
    assert.match(text, /^shop\.Pay +0 +1 +- +consumed$/m);
    assert.match(text, /^Pay +shop\.Pay +1 +12 +- +- +- +- +- +0 +0 +-$/m);
  });

  it('fit into 120 columns, however long the names of queues and the texts of errors are', () => {
    const queue = `shop.${'VeryLongName'.repeat(8)}`;
    const big = { failures: 123_456, deadLettered: 12_345, perSecond: 9_999, running: 100, circuitsOpen: 12 };
    const text = shown(statusOf({}, { queue, ...big, handler: 'SendInvoice', errors }));
    const tables = text.slice(text.indexOf('HANDLER'));
    for (const line of tables.split('\n')) assert.ok(line.length <= 120, `${line.length}: ${line}`);
  });

  it('tell of ten things that are wrong, and how many more there are', () => {
    const queues = Array.from({ length: 14 }, (_, index) => ({
      ...{ queue: `q${index}`, ready: 1, consumers: 0, oldestMs: undefined },
      ...{ paused: false, consuming: 0, serving: 0 },
    }));
    const text = shown(statusOf({}, {}, { queues }));
    assert.equal(text.match(/nobody consumes it/g)?.length, 10);
    assert.match(text, /^and 4 more$/m);
  });
});
