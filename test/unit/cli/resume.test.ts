import assert from 'node:assert/strict';
import { printResumed } from '../../../src/cli/commands/resume.js';
import type { Terminal } from '../../../src/cli/output/terminal.js';
import type { PauseResult } from '../../../src/control/results.js';

const ANSWER = { service: 'mailer', host: 'web-1', pid: 7 };
const HEEDED: PauseResult = { processes: [ANSWER], consumers: 0, paused: [], pausedBy: [] };

describe('hopline resume', () => {
  function told(queue: string, heeded: Partial<PauseResult>): { code: number; lines: string[] } {
    const lines: string[] = [];
    const say = (text: string) => {
      lines.push(text);
    };
    const terminal = { print: say, tell: say } as unknown as Terminal;
    return { code: printResumed(queue, { ...HEEDED, ...heeded }, terminal), lines };
  }

  it('says that the queue goes on', () => {
    assert.deepEqual(told('q', {}), {
      code: 0,
      lines: ["mailer on web-1, process 7: goes on with 'q'", "queue 'q' is not paused"],
    });
  });

  it('of a lane whose queue is paused says that it stays paused, and with what, and fails', () => {
    const { code, lines } = told('q.high', { paused: ['q'], pausedBy: ['q'] });
    assert.deepEqual([code, lines[1]], [1, "'q.high' is still paused with 'q': hopline resume q"]);
    assert.doesNotMatch(lines.join(), /goes on|not paused/);
  });

  it('of a queue names the lanes that stay paused, and fails', () => {
    const { code, lines } = told('q', { paused: ['q.high'], pausedBy: ['q.high'] });
    assert.deepEqual([code, lines[1]], [1, "lane 'q.high' is still paused: hopline resume q.high"]);
  });

  it('without an answer says what else is paused', () => {
    const { code, lines } = told('q.high', { processes: [], paused: ['q'] });
    assert.equal(code, 0);
    assert.match(lines[1] ?? '', /^note: nobody who serves it has answered.*not known: q$/);
  });
});
