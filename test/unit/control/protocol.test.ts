import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FiguresOfHandler } from '../../../src/consume/report/figures.js';
import {
  type ControlRequest,
  decodeAnswer,
  decodeRequest,
  encode,
  processIdentity,
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

const LANE = { queue: 'q', of: 'q', paused: ['operator'] };
const PLACES = { queues: ['q'], lanes: [LANE], places: 10, running: 1, waiting: 0, held: false };
const HANDLER = new FiguresOfHandler('Work', 'q', 0).read(5);
const STATUS = {
  state: 'started',
  supervised: false,
  uptimeMs: 0,
  memory: 1,
  places: [PLACES],
  handlers: [{ ...HANDLER, runtime: [[3, 7]] }],
};

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
    const who = processIdentity('mailer');
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
    const status = { ...STATUS, handlers: [], 'of a newer version': 1 };
    assert.ok(decodeAnswer(heard(JSON.stringify({ version: 1, ...who, status }))));
  });

  it('with a status in which anything is not as it should be are no answers', () => {
    const isRead = (status: object) =>
      decodeAnswer(heard(JSON.stringify({ version: 1, ...processIdentity('mailer'), status }))) !== undefined;
    assert.ok(isRead(STATUS));
    const places = (wrong: object) => ({ places: [{ ...PLACES, ...wrong }] });
    const handler = (wrong: object) => ({ handlers: [{ ...HANDLER, ...wrong }] });
    for (const wrong of [
      { places: [null] },
      { handlers: [null] },
      { state: undefined },
      { memory: '1' },
      { uptimeMs: null },
      { lagMs: 'long' },
      places({ queues: [1] }),
      places({ lanes: [null] }),
      places({ lanes: [{ ...LANE, paused: 'operator' }] }),
      places({ running: -1 }),
      handler({ queue: 7 }),
      handler({ overMs: undefined }),
      handler({ runtime: [[1]] }),
      handler({ wait: [[1, 'many']] }),
      handler({ wait: [7] }),
      handler({ circuit: {} }),
    ])
      assert.equal(isRead({ ...STATUS, ...wrong }), false, JSON.stringify(wrong));
  });
});
