import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of a payment', () => {
  it('tries again after 30, 60 and 120 s, and ends when the payment itself says so', async () => {
    const { code, stdout, stderr } = await run('payment.js', { failsOnPurpose: true });
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.trimEnd().split('\n');
    const of = (order: string) => lines.filter((line) => line.startsWith(`${order}: `));
    assert.deepEqual(of('books'), [
      'books: again in 30 s',
      'books: again in 60 s',
      'books: again in 120 s',
      'books: charged in attempt 4',
    ]);
    assert.deepEqual(of('late'), [
      'late: again in 30 s',
      'late: again in 60 s',
      'late: given up after attempt 3, no answer from the provider',
      'late: dead letter, expired',
    ]);
    assert.deepEqual(of('stolen'), [
      'stolen: given up after attempt 1, the card was reported stolen',
      'stolen: dead letter, unrecoverable',
    ]);
    assert.equal(lines.length, 10);
  });
});
