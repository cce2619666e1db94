import assert from 'node:assert/strict';
import { UndecodableError } from '../../../src/index.js';
import { HEADER } from '../../../src/message/headers.js';
import { type BatchMark, batchIn, encodeMark } from '../../../src/message/wire/batch-header.js';

const read = (text: unknown) => batchIn({ [HEADER.batch]: text as string });

describe('the header of a batch', () => {
  const counts = { total: 3, pending: 0, done: 2, failed: 1, skipped: 0, progress: 100 };

  it('is read as it was written: of a job, and of what is sent for a batch', () => {
    const marks: BatchMark[] = [
      { id: 'one', number: 0 },
      { id: 'two', kind: 'finally', counts },
    ];
    for (const mark of marks) assert.deepEqual(read(encodeMark(mark)), mark);
    assert.equal(batchIn({}), undefined);
  });

  it('is a promise: what version 1 has written stays readable', () => {
    assert.deepEqual(read('{"v":1,"id":"a","number":7}'), { id: 'a', number: 7 });
  });

  const wrong: [title: string, text: unknown][] = [
    ['no text', 7],
    ['no JSON', '{'],
    ['null', 'null'],
    ['another version', '{"v":2,"id":"a","number":7}'],
    ['no id', '{"v":1,"number":7}'],
    ['no number', '{"v":1,"id":"a"}'],
    ['a number that is none', '{"v":1,"id":"a","number":-1}'],
    ['a number that no store can count', '{"v":1,"id":"a","number":4294967296}'],
    ['news that are none', '{"v":1,"id":"a","news":"gossip","figures":{}}'],
    ['news without figures', '{"v":1,"id":"a","news":"then"}'],
  ];
  for (const [title, text] of wrong)
    it(`can not be read with ${title}`, () => assert.ok(read(text) instanceof UndecodableError));
});
