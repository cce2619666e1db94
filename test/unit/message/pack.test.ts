import assert from 'node:assert/strict';
import { UndecodableError } from '../../../src/errors.js';
import { isOneLine, MAX_PACK_ITEMS, packed, unpacked } from '../../../src/message/wire/pack.js';

const texts = (body: string) => unpacked(Buffer.from(body)).map((item) => item.toString());

describe('a pack', () => {
  it('holds a payload on each line, and gives back the very bytes', () => {
    const bodies = ['{"a":1}', '"ü"', '0'].map((text) => Buffer.from(text));
    const whole = packed(bodies);
    assert.equal(whole.toString(), '{"a":1}\n"ü"\n0\n');
    assert.deepEqual(unpacked(whole), bodies);
  });

  it('needs no newline at its end, and keeps an empty line as what it is: no JSON', () => {
    assert.deepEqual(texts('1\n2'), ['1', '2']);
    assert.deepEqual(texts('1\n\n2\n'), ['1', '', '2']);
    assert.deepEqual(texts('\n'), ['']);
  });

  it('that is empty, or holds more than anybody packs, is refused', () => {
    assert.throws(() => texts(''), UndecodableError);
    assert.equal(texts('1\n'.repeat(MAX_PACK_ITEMS)).length, MAX_PACK_ITEMS);
    assert.throws(() => texts('1\n'.repeat(MAX_PACK_ITEMS + 1)), /it holds more than 10000 payloads/);
  });

  it('takes what is one line', () => {
    for (const text of ['', 'a\nb', '\n']) assert.equal(isOneLine(Buffer.from(text)), false);
    assert.ok(isOneLine(Buffer.from('{"text":"a\\nb"}')));
  });
});
