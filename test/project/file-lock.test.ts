import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { underLock } from '../support/broker/file-lock.js';

// Only Debian's way to a broker needs it.
if (process.platform === 'linux')
  describe('the lock of a file', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'hopline-lock-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('lets one in after the other', async () => {
      let inside = 0;
      let most = 0;
      const enter = () =>
        underLock(join(folder, 'lock'), async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 50));
          inside -= 1;
        });
      await Promise.all([enter(), enter(), enter()]);
      assert.equal(most, 1);
    });

    it('is open again when its holder is killed', async () => {
      const lock = join(folder, 'lock');
      const module = join(import.meta.dirname, '../support/broker/file-lock.js');
      const hold = `
        const { underLock } = await import(process.argv[1]);
        await underLock(process.argv[2], () => { console.log('inside'); return new Promise(() => {}); });`;
      const holder = spawn(process.execPath, ['--input-type=module', '--eval', hold, module, lock], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(holder.stdout, 'data');
      holder.kill('SIGKILL');
      assert.equal(await underLock(lock, async () => 'open'), 'open');
    });

    it('says so if it cannot be had', async () => {
      await assert.rejects(
        underLock(join(folder, 'missing/lock'), async () => {}),
        /could not be locked/,
      );
    });
  });
