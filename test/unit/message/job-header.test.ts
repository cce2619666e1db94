import assert from 'node:assert/strict';
import { HEADER } from '../../../src/message/headers.js';
import { encodeJob, jobIn } from '../../../src/message/wire/job-header.js';

describe('mark of a job', () => {
  const read = (text: string, id: string | undefined = 'one') => jobIn({ [HEADER.job]: text }, id);

  it('is read as it was written', () => {
    const mark = { version: 2_147_483_647, address: 'a.jobs.b' };
    assert.deepEqual(read(encodeJob(mark)), mark);
  });

  it('is none where a store could not hold it, since one such message would keep others from it', () => {
    const text = encodeJob({ version: 1, address: undefined });
    assert.equal(jobIn({ [HEADER.job]: text }, undefined), undefined);
    for (const id of ['a\0b', '\ud800', 'x'.repeat(256)]) assert.equal(read(text, id), undefined);
    for (const n of [0, 1.5, 2_147_483_648, 2 ** 53])
      assert.equal(read(JSON.stringify({ v: 1, n })), undefined);
  });
});
