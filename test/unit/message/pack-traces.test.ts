import assert from 'node:assert/strict';
import { decodeTraces, encodeTrace, encodeTraces } from '../../../src/message/wire/pack-traces.js';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the traces of a pack', () => {
  it('are read as they were written, each as far as its payload has one', () => {
    const all = [
      { traceparent },
      {},
      { traceparent, baggage: 'tenant="é"' },
      { traceparent, tracestate: 'a=b', baggage: 'c=d' },
    ];
    const text = encodeTraces(all.map((headers) => encodeTrace(headers)));
    assert.deepEqual(decodeTraces(text, all.length), all);
  });

  it('hold nothing but the trace headers, and no more than they need', () => {
    assert.equal(encodeTrace({ traceparent, tenant: 'acme' }), `["${traceparent}"]`);
    assert.equal(encodeTrace(undefined), '[]');
    assert.equal(encodeTraces(['[]', `["${traceparent}"]`]), `{"v":1,"items":[[],["${traceparent}"]]}`);
  });

  for (const [what, value] of Object.entries({
    'another version': '{"v":2,"items":[[]]}',
    'another number': '{"v":1,"items":[[],[]]}',
    'no list': '{"v":1,"items":{"length":1}}',
    'no JSON': '{"v":1,',
    null: 'null',
    'no text': 1,
  }))
    it(`are unknown if the header is ${what}`, () => {
      assert.equal(decodeTraces(value, 1), undefined);
    });

  it('are empty for a payload whose entry can’t be read', () => {
    assert.deepEqual(decodeTraces('{"v":1,"items":[[1,{"a":1},null],5]}', 2), [{}, {}]);
  });
});
