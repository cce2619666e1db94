import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FiguresOfHandler } from '../../../src/consume/report/figures.js';
import type { ControlAnswer } from '../../../src/control/answer.js';
import { decodeAnswer, decodeRequest, encode, processIdentity } from '../../../src/control/protocol.js';
import type { ControlRequest } from '../../../src/control/shapes.js';

const heard = (body: Buffer | string) => ({ body: Buffer.from(body), properties: {} });

const REQUESTS: readonly ControlRequest[] = [
  { ask: 'status' },
  { ask: 'status', service: 'mailer' },
  { ask: 'restart', service: 'mailer' },
  { ask: 'pauses', queue: 'q', paused: ['q', 'other'] },
  { ask: 'pauses', queue: 'q', paused: [] },
  { ask: 'scale', queue: 'q', concurrency: 3 },
  { ask: 'cancel', messageId: 'id' },
  { ask: 'silence', pattern: '*', forMs: 34_560_000_000 },
];

const LANE = { queue: 'q', of: 'q', paused: ['operator'] };
const GROUP = { queues: ['q'], lanes: [LANE], slots: 10, running: 1, waiting: 0, held: false, busyMs: 2.5 };
const HANDLER = new FiguresOfHandler('Work', 'q', 60_000, 0).read(5);
const STATUS = {
  state: 'started',
  supervised: false,
  uptimeMs: 0,
  memory: 1,
  slotGroups: [GROUP],
  handlers: [
    {
      ...{ ...HANDLER, runtime: [[3, 7]], longestMs: 1 },
      errors: [{ kind: 'Error', message: '', count: 2, lastAt: 1_000 }],
    },
  ],
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
      { ask: 'silence', pattern: '*', forMs: 34_560_000_001 },
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

  it('with whatever is wrong in one field are none, and throw nothing', () => {
    const requests = fc.constantFrom<Record<string, unknown>>(...REQUESTS.map((request) => ({ ...request })));
    const wrong = fc.oneof(
      fc.constant(''),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.json()),
    );
    fc.assert(
      fc.property(requests, wrong, fc.nat(), (request, value, at) => {
        const names = Object.keys(request);
        const name = names[at % names.length] as string;
        const isRight =
          (name === 'concurrency' && Number.isSafeInteger(value) && Number(value) > 0) ||
          (name === 'forMs' && typeof value === 'number' && value >= 0 && value <= 34_560_000_000);
        const body = JSON.stringify({ version: 1, ...request, [name]: value });
        assert.equal(decodeRequest(heard(body)) !== undefined, isRight, body);
      }),
    );
  });

  it('give no sender a way to a prototype, or deeper than they go', () => {
    const request = decodeRequest(heard('{"version":1,"ask":"status","__proto__":{"service":"mailer"}}'));
    assert.deepEqual(request, { ask: 'status' });
    assert.equal(request && 'service' in request, false);
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    assert.equal(decodeRequest(heard(`{"version":1,"ask":"cancel","messageId":${deep}}`)), undefined);
    assert.deepEqual(decodeRequest(heard(`{"version":1,"ask":"cancel","messageId":"id","newer":${deep}}`)), {
      ask: 'cancel',
      messageId: 'id',
    });
  });

  it('are none as soon as one of a million names is wrong', () => {
    const paused = JSON.stringify(Array.from({ length: 1_000_000 }, () => 7));
    assert.equal(
      decodeRequest(heard(`{"version":1,"ask":"pauses","queue":"q","paused":${paused}}`)),
      undefined,
    );
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
      { status: { slotGroups: [] } },
      { problem: 7 },
    ])
      assert.equal(decodeAnswer(heard(JSON.stringify({ version: 1, ...who, ...wrong }))), undefined);
    const status = { ...STATUS, handlers: [], 'of a newer version': 1 };
    assert.ok(decodeAnswer(heard(JSON.stringify({ version: 1, ...who, status }))));
  });

  it('hold the status of an older version, which did not have all figures', () => {
    const { timeoutMs: _, timedOut, recentFailures, errors, ...handler } = HANDLER;
    const { busyMs, ...group } = GROUP;
    const older = { ...STATUS, slotGroups: [group], handlers: [handler] };
    const status = decodeAnswer(
      heard(JSON.stringify({ version: 1, ...processIdentity('a'), status: older })),
    )?.status;
    assert.deepEqual(status?.slotGroups, [{ ...group, busyMs: 0 }]);
    assert.deepEqual(status?.handlers, [
      { ...handler, timeoutMs: 0, timedOut: 0, recentFailures: 0, errors: [] },
    ]);
  });

  it('hold a status as it was given', () => {
    const status = {
      ...STATUS,
      lagMs: 3.5,
      handlers: [{ ...HANDLER, circuit: 'half-open in a newer version' }],
    };
    const answer = { ...processIdentity('mailer'), status };
    assert.deepEqual(decodeAnswer(heard(encode(answer as unknown as ControlAnswer))), answer);
    const others: readonly ControlAnswer[] = [
      { ...processIdentity('mailer'), problem: 'no' },
      { ...processIdentity('mailer'), pausedBy: ['q'] },
      { ...processIdentity('mailer'), cancelled: 0 },
    ];
    for (const other of others) assert.deepEqual(decodeAnswer(heard(encode(other))), other);
  });

  it('with a status in which anything is not as it should be are no answers', () => {
    const isRead = (status: object) =>
      decodeAnswer(heard(JSON.stringify({ version: 1, ...processIdentity('mailer'), status }))) !== undefined;
    assert.ok(isRead(STATUS));
    const group = (wrong: object) => ({ slotGroups: [{ ...GROUP, ...wrong }] });
    const handler = (wrong: object) => ({ handlers: [{ ...HANDLER, ...wrong }] });
    for (const wrong of [
      { slotGroups: [null] },
      { handlers: [null] },
      { state: undefined },
      { memory: '1' },
      { uptimeMs: null },
      { lagMs: 'long' },
      group({ queues: [1] }),
      group({ lanes: [null] }),
      group({ lanes: [{ ...LANE, paused: 'operator' }] }),
      group({ running: -1 }),
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
