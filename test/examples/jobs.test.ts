import assert from 'node:assert/strict';
import { run } from './program.js';

describe('the example of jobs', () => {
  it('waits for a result, tells why there is none, finds jobs by tag, and moves and takes back what waits', async () => {
    const { code, stdout } = await run('jobs.js');
    assert.deepEqual(
      { code, stdout: stdout.trim().split('\n') },
      {
        code: 0,
        stdout: [
          'encoded 7 minutes',
          'dead-lettered: Error: no codec',
          'order 7: dead-lettered, done',
          "'invoice-17' is scheduled already",
          'scheduled: invoice-17',
          'reminded of invoice 17',
        ],
      },
    );
  });
});
