import { deepStrictEqual, strictEqual as equal } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applicationsOf } from '../../../src/cli/dashboard/applications.js';
import type { DashboardFlags } from '../../../src/cli/dashboard/flags.js';

const KEYS = JSON.stringify({ current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } });

const flags = { prefix: 'shop', management: 'http://127.0.0.1:15672' } as DashboardFlags;

describe('what the command of the dashboard opens', () => {
  it('are encrypted bodies only if a file of keys is named: those of the environment are not meant for who looks', async () => {
    const env = { AMQP_URL: 'amqp://127.0.0.1', HOPLINE_KEYS: KEYS };
    const [application] = await applicationsOf(flags, env, undefined);
    deepStrictEqual([application?.prefix, application?.encryption], ['shop', undefined]);
    const folder = await mkdtemp(join(tmpdir(), 'hopline-keys-'));
    try {
      const keys = join(folder, 'keys.json');
      await writeFile(keys, KEYS);
      const [opened] = await applicationsOf({ ...flags, keys }, env, undefined);
      equal(typeof opened?.encryption?.keys, 'object');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
