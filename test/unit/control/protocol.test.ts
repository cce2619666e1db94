import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type ControlRequest,
  decodeAnswer,
  decodeRequest,
  encode,
  respondent,
} from '../../../src/control/protocol.js';

const heard = (body: Buffer | string) => ({ body: Buffer.from(body), properties: {} });

const REQUESTS: readonly ControlRequest[] = [
  { ask: 'status', service: undefined },
  { ask: 'status', service: 'mailer' },
  { ask: 'restart', service: 'mailer' },
  { ask: 'pauses', queue: 'q', paused: ['q', 'other'] },
  { ask: 'pauses', queue: 'q', paused: [] },
  { ask: 'scale', queue: 'q', concurrency: 3 },
  { ask: 'cancel', messageId: 'id' },
];

describe('control messages', () => {
  it('say what they were told', () => {
    for (const request of REQUESTS) assert.deepEqual(decodeRequest(heard(encode(request))), request);
  });

  it('that are not whole, of another version, or of no kind are none', () => {
    for (const wrong of [
      { ask: 'status', service: 7 },
      { ask: 'restart' },
      { ask: 'pauses', queue: 'q', paused: ['q', 7] },
      { ask: 'pauses', paused: [] },
      { ask: 'scale', queue: 'q', concurrency: 0 },
      { ask: 'scale', queue: 'q', concurrency: '3' },
      { ask: 'cancel', messageId: '' },
      { ask: 'dance' },
    ])
      assert.equal(
        decodeRequest(heard(JSON.stringify({ version: 1, ...wrong }))),
        undefined,
        JSON.stringify(wrong),
      );
    assert.equal(decodeRequest(heard('{"version":2,"ask":"status"}')), undefined);
    assert.equal(decodeRequest(heard('{"ask":"status"}')), undefined);
  });

  it('that nobody can read are none, whatever they are', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(anything, (body) => {
        assert.equal(decodeRequest(heard(body)), undefined);
        assert.equal(decodeAnswer(heard(body)), undefined);
      }),
    );
  });

  it('name who answers, and what is in a status', () => {
    const who = respondent('mailer');
    assert.equal(who.pid, process.pid);
    assert.equal(decodeAnswer(heard(encode(who)))?.service, 'mailer');
    for (const wrong of [
      { pid: 'x' },
      { host: undefined },
      { status: {} },
      { status: { places: [] } },
      { problem: 7 },
    ])
      assert.equal(decodeAnswer(heard(JSON.stringify({ version: 1, ...who, ...wrong }))), undefined);
    const status = { places: [], handlers: [] };
    assert.ok(decodeAnswer(heard(JSON.stringify({ version: 1, ...who, status }))));
  });
});
