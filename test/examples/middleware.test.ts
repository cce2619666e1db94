import assert from 'node:assert/strict';
import { read } from '../project/repository.js';
import { run } from './program.js';

describe('the examples of middleware', () => {
  const printed: Readonly<Record<string, string>> = {
    tenant: 'invoice 1 of acme\ninvoice 2 of globex\n',
    'legacy-bodies': '1 of coffee, 2 of tea\n',
    'cloud-events': 'com.example.order.placed of o-17: 12 €, from /orders\n',
    'audit-log':
      'first Pay attempt 1 retried for 100 ms\nfirst Pay attempt 2 succeeded\n' +
      'first Pay attempt 1 skipped handled\nsecond Pay attempt 1 deadLettered unrecoverable\n',
  };

  for (const [name, text] of Object.entries(printed))
    it(`run in memory and print what the guide shows: ${name}`, async () => {
      const { code, stdout, stderr } = await run(`${name}.js`);
      assert.deepEqual([code, stdout, stderr], [0, text, '']);
    });

  it('print the audit log that the guide has', () => {
    assert.ok(read('docs/middleware.md').includes(printed['audit-log'] as string));
  });
});
