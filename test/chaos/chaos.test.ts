import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { sized } from '../support/long.js';
import { passed, report } from './report.js';
import { runChaos } from './run.js';

const MINUTES = sized(0.25, 2);

describe('chaos', function () {
  // To begin with, the faults, and the quiet period at its longest.
  this.timeout(PROVIDE_TIMEOUT_MS + MINUTES * 60_000 + 300_000);

  it(`for ${sized('a quarter of a minute', 'two minutes')} on a cluster of three nodes loses nothing`, async () => {
    const told: string[] = [];
    const options = { minutes: MINUTES, seed: 1, nodes: 3, rate: 60 };
    const result = await runChaos({ ...options, tell: (line) => void told.push(line) });
    assert.ok(passed(result), [...told, report(result)].join('\n'));
    await rm(result.folder, { recursive: true });
  });
});
