import assert from 'node:assert/strict';
import { InvalidMessageError } from '../../../src/errors.js';
import { keyText } from '../../../src/message/wire/key-text.js';

describe('a key', () => {
  it('is a text, a number or a bigint', () => {
    assert.equal(keyText('a', 'by'), 'a');
    assert.equal(keyText(0, 'by'), '0');
    assert.equal(keyText(7n, 'by'), '7');
  });

  it('is nothing that many messages would share by mistake', () => {
    for (const wrong of [
      undefined,
      null,
      '',
      Number.NaN,
      1 / 0,
      {},
      [1],
      true,
      Symbol('a'),
      () => 'a',
      new Date(),
    ])
      assert.throws(
        () => keyText(wrong, "idempotent.by of 'Work'"),
        (error) =>
          error instanceof InvalidMessageError &&
          error.message.startsWith("expected idempotent.by of 'Work' to return a non-empty string"),
      );
  });
});
