import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UndecodableError } from '../../../src/errors.js';
import { type BodyOption, bodyOption, deserializerOf } from '../../../src/serialization/body-option.js';
import { described } from './described.js';

const read = (option: BodyOption, body: Buffer | string, contentType?: string, contentEncoding?: string) =>
  deserializerOf(option).deserialize(Buffer.from(body), described({ contentType, contentEncoding }));

describe('how bodies are read', () => {
  it('is JSON, text, bytes, or what has deserialize, and nothing else', () => {
    for (const option of ['json', 'text', 'bytes', { deserialize: () => 1 }])
      assert.ok(bodyOption.accepts(option), String(option));
    for (const option of ['xml', 'toString', '', undefined, null, 7, {}, { serialize: () => 1 }, () => 1])
      assert.ok(!bodyOption.accepts(option), String(option));
  });

  it('as text is any text, an empty one, too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.equal(read('text', text), text);
      }),
    );
    assert.equal(read('text', 'ON', 'application/octet-stream', 'utf-8'), 'ON');
    assert.equal(read('text', '\uFEFFON'), 'ON');
  });

  it('as text is in the charset that the content type names, else the content encoding, else UTF-8', () => {
    const latin1 = Buffer.from('größe', 'latin1');
    assert.equal(read('text', latin1, 'text/plain; charset=iso-8859-1'), 'größe');
    assert.equal(read('text', latin1, 'text/plain; format=flowed; charset="Latin1"'), 'größe');
    assert.equal(read('text', latin1, 'text/plain', 'latin1'), 'größe');
    assert.equal(read('text', latin1, 'text/plain', 'latin-1'), 'größe');
    assert.equal(read('text', latin1, 'text/plain; charset=latin1', 'utf-8'), 'größe');
    assert.equal(read('text', Buffer.from('größe', 'utf16le'), 'text/plain; charset=utf-16'), 'größe');
    assert.equal(read('text', 'plain', 'text/plain; charset=us-ascii'), 'plain');
  });

  it('as text is undecodable in the wrong charset, one that is not known, or an encoding that is not undone', () => {
    const latin1 = Buffer.from('größe', 'latin1');
    for (const [reason, ...given] of [
      [/is not valid UTF-8$/, latin1],
      [/is not valid UTF-8$/, latin1, 'text/plain; charset=utf8'],
      [/charset 'klingon' is not known$/, 'x', 'text/plain; charset=klingon'],
      [/content encoding is 'snappy', which can't be decoded$/, 'x', 'text/plain; charset=utf-8', 'snappy'],
      [/content encoding is 'snappy, utf-8', which can't be decoded$/, 'x', 'text/plain', 'snappy, utf-8'],
    ] as [RegExp, Buffer | string, string?, string?][]) {
      assert.throws(
        () => read('text', ...given),
        (error) => error instanceof UndecodableError && reason.test(error.message),
        String(reason),
      );
    }
  });

  it('as bytes is whatever was sent, in a Buffer of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const body = Buffer.from(bytes);
        const payload = deserializerOf('bytes').deserialize(
          body,
          described({ contentType: 'application/json', contentEncoding: 'snappy' }),
        );
        assert.ok(Buffer.isBuffer(payload));
        assert.ok(payload.equals(body));
        payload.fill(7);
        assert.ok(body.equals(bytes));
      }),
    );
  });
});
