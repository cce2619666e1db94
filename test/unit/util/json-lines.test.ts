import assert from 'node:assert/strict';
import { jsonLine, linesOf } from '../../../src/util/text/json-lines.js';

async function all(chunks: (string | Uint8Array)[]): Promise<string[]> {
  async function* input() {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const line of linesOf(input())) lines.push(line);
  return lines;
}

describe('lines of JSON', () => {
  it('have no separator that a reader may take for an end of the line', () => {
    const value = { text: 'a\u2028b\u2029c\nd\re' };
    const line = jsonLine(value);
    assert.doesNotMatch(line, /[\u2028\u2029\n\r]/);
    assert.deepEqual(JSON.parse(line), value);
  });

  it('are read to their \\n alone, however they come in pieces', async () => {
    const text = '"a\u2028b"\r\n\n"ä€\u2029"\n"last"';
    const lines = ['"a\u2028b"\r', '', '"ä€\u2029"', '"last"'];
    const bytes = Buffer.from(text);
    for (const size of [1, 2, 3, 100]) {
      const chunks: Buffer[] = [];
      for (let from = 0; from < bytes.length; from += size) chunks.push(bytes.subarray(from, from + size));
      assert.deepEqual(await all(chunks), lines);
    }
    assert.deepEqual(await all([`${text}\n`]), lines);
    assert.deepEqual(await all([]), []);
  });
});
