import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MessageTooLargeError, UndecodableError } from '../../../src/errors.js';
import { HEADER, HEADERS_CAP_BYTES } from '../../../src/message/headers.js';
import {
  type ChainState,
  chainIn,
  encodeChain,
  type StepMessage,
  withChain,
} from '../../../src/message/wire/chain-header.js';

const read = (text: unknown) => chainIn({ [HEADER.chain]: text as string });

const step = (key: string, given: Partial<StepMessage> = {}): StepMessage => ({
  ...{ key, type: key, body: Buffer.from('{"id":1}'), contentType: 'application/json' },
  options: { exchange: 'hopline.events' },
  ...given,
});

const state = (given: Partial<ChainState> = {}): ChainState => ({
  ...{ id: 'c', number: 2, rest: [step('a')], onFailure: undefined },
  ...{ result: undefined, failure: undefined, finished: false },
  ...given,
});

describe('the header of a chain', () => {
  it('gives back what was written, with every option of a step', () => {
    const full = state({
      rest: [
        step('a', {
          type: 'a.*',
          options: {
            exchange: { name: 'theirs', declare: false },
            headers: { bytes: Buffer.from([0, 255]), at: new Date(0), nested: { list: [1, null] } },
            correlationId: 'c1',
            at: new Date('2026-01-05T09:00:00Z'),
            priority: 3,
            lane: 'high',
            expiration: '5m',
            replyTo: 'answers',
            allowForeignExchange: true,
          },
        }),
        step('b', { options: { exchange: 'e', delay: 1_500 } }),
      ],
      onFailure: step('failed'),
      result: { size: [1, 2] },
      failure: { key: 'x', number: 1, messageId: 'm', reason: 'exhausted', error: 'Error: no' },
      finished: true,
    });
    const got = read(encodeChain(full));
    assert.ok(got && !(got instanceof Error));
    const [first, ...others] = got.rest;
    const { headers, ...options } = first?.options ?? {};
    assert.deepEqual(
      { ...headers, nested: { ...(headers?.nested as object) } },
      full.rest[0]?.options.headers,
    );
    const { headers: _, ...expected } = full.rest[0]?.options ?? {};
    assert.deepEqual(options, expected);
    assert.deepEqual({ ...got, rest: others }, { ...full, rest: full.rest.slice(1) });
  });

  it('keeps a body byte for byte, whatever wrote it', () => {
    const bodies = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('{ "odd" : 1.0 }', '-0', '1e400', '{"a":1,"a":2}', 'null', '"é"').map(Buffer.from),
    );
    fc.assert(
      fc.property(bodies, fc.constantFrom('application/json', 'application/x-other'), (body, contentType) => {
        const got = read(encodeChain(state({ rest: [step('a', { body, contentType })] })));
        assert.ok(got && !(got instanceof Error));
        assert.ok(got.rest[0]?.body.equals(body));
        assert.equal(got.rest[0]?.contentType, contentType);
      }),
    );
  });

  it('is as short and readable as its payloads, where JSON writes them the same way again', () => {
    assert.equal(
      encodeChain(state()),
      '{"v":1,"id":"c","number":2,"rest":[{"key":"a","payload":{"id":1},"exchange":"hopline.events"}]}',
    );
  });

  it('is not there outside a chain', () => {
    assert.equal(chainIn({}), undefined);
  });

  for (const [what, change] of [
    ['no object', () => 7],
    ['another version', (chain: object) => ({ ...chain, v: 2 })],
    ['no id', (chain: object) => ({ ...chain, id: '' })],
    ['a number that is none', (chain: object) => ({ ...chain, number: '2' })],
    ['a rest that is no list', (chain: object) => ({ ...chain, rest: {} })],
    ['a step that is no object', (chain: object) => ({ ...chain, rest: [null] })],
    [
      'a step with a wildcard',
      (chain: object) => ({ ...chain, rest: [{ key: '#', payload: 1, exchange: 'e' }] }),
    ],
    ['a step without a payload', (chain: object) => ({ ...chain, rest: [{ key: 'a', exchange: 'e' }] })],
    ['a step without an exchange', (chain: object) => ({ ...chain, rest: [{ key: 'a', payload: 1 }] })],
    ['a failure step that is none', (chain: object) => ({ ...chain, onFailure: 'undo' })],
    ['a failure that is none', (chain: object) => ({ ...chain, failure: 'it broke' })],
    [
      'headers that are none',
      (chain: object) => ({ ...chain, rest: [{ key: 'a', payload: 1, exchange: 'e', headers: [] }] }),
    ],
  ] as const) {
    it(`is an error, and throws none, with ${what}`, () => {
      const changed = JSON.stringify(change(JSON.parse(encodeChain(state()))));
      assert.ok(read(changed) instanceof UndecodableError, changed);
    });
  }

  it('is an error for any text that nobody wrote as a chain, and tells nothing of it', () => {
    fc.assert(fc.property(fc.string(), (text) => assert.ok(read(text) instanceof UndecodableError)));
    const error = read('{"secret": canary');
    assert.ok(error instanceof UndecodableError);
    assert.doesNotMatch(error.message, /canary/);
  });

  it('may fill a header to the cap together with the headers of its step, and no further', () => {
    const sized = (bytes: number) => withChain({ mine: 'x'.repeat(bytes) }, state());
    let low = 0;
    let high = HEADERS_CAP_BYTES;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      try {
        sized(middle);
        low = middle;
      } catch (error) {
        assert.ok(error instanceof MessageTooLargeError);
        high = middle;
      }
    }
    const chainBytes = Buffer.byteLength(encodeChain(state()));
    assert.ok(HEADERS_CAP_BYTES - low - chainBytes < 64, `${low} bytes beside ${chainBytes}`);
  });
});
