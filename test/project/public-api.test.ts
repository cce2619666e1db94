import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiSnapshot, compareApis, describeApi, parseSnapshot, renderSnapshot } from './api-snapshot.js';
import { read, root } from './repository.js';

const file = 'test/project/public-api.snapshot.md';

describe('the public API', () => {
  let api: ApiSnapshot;
  before(() => {
    api = describeApi();
  });

  it(`is what ${file} says`, () => {
    if (process.env.UPDATE_SNAPSHOT) writeFileSync(join(root, file), renderSnapshot(api));
    const changes = compareApis(parseSnapshot(read(file)), api);
    if (changes.length > 0) {
      assert.fail(
        `${changes.join('\n\n')}\n\nMeant so? Run UPDATE_SNAPSHOT=1 npm test, and say it in the changelog.`,
      );
    }
    assert.equal(read(file), renderSnapshot(api), 'the snapshot was edited by hand');
  });
});
