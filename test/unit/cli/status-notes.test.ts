import assert from 'node:assert/strict';
import { notesOf } from '../../../src/cli/output/status-tables.js';
import type { StatusReport } from '../../../src/control/control.js';
import type { ProcessReport, QueueReport } from '../../../src/control/queue-report.js';

const QUEUE: QueueReport = {
  ...{ queue: 'q', ready: 0, consumers: 1, oldestMs: undefined },
  ...{ paused: false, consuming: 1, serving: 1 },
};

function notesOn(queue: Partial<QueueReport>, report: Partial<StatusReport> = {}): string[] {
  const processes = [{} as ProcessReport];
  return notesOf({ processes, queues: [{ ...QUEUE, ...queue }], handlers: [], paused: [], ...report });
}

describe('notes on a status', () => {
  it('are none on a queue that is consumed, nor on one whose last message runs while it is paused', () => {
    assert.deepEqual(notesOn({}), []);
    assert.deepEqual(notesOn({ paused: true, consuming: 0 }), []);
    // Its circuit is open.
    assert.deepEqual(notesOn({ consuming: 0 }), []);
    assert.deepEqual(notesOn({ consuming: 0, consumers: 0, ready: 3 }), []);
  });

  it('name a queue whose consumers have not answered, and one that nobody consumes', () => {
    assert.match(
      notesOn({ consuming: 0, serving: 0 }).join(),
      /^queue 'q' has 1 consumer, and none answered/,
    );
    const abandoned = { consuming: 0, serving: 0, consumers: 0, ready: 3 };
    assert.deepEqual(notesOn(abandoned), ["queue 'q' holds 3 messages, and nobody consumes it"]);
    assert.equal(notesOn({ consumers: 0, ready: 3 }).length, 1);
  });

  it('show control characters in the name of a queue, and obey none', () => {
    const queue = 'evil\u001b]0;owned\u0007\u001b[2J\r\nnote: all is well';
    const [note] = notesOn({ queue, serving: 0 });
    assert.match(note ?? '', /^queue 'evil\\x1b\]0;owned\\x07\\x1b\[2J note: all is well' has 1 consumer/);
  });

  it('say that it is not known what is paused', () => {
    assert.match(notesOn({}, { paused: undefined }).join(), /^which queues are paused is not known/);
  });
});
