import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ended } from './guard.js';

/**
 * Runs `work` while no other process runs anything under the lock of this file, which is made if it is missing. The lock is
 * the kernel's, held by a child (`flock` of util-linux, part of every Debian) that ends with this process, however that ends.
 */
export async function underLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [path, 'sh', '-c', 'echo locked; cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const told = once(holder.stdout, 'data');
  const gone = once(holder, 'exit').then(([code]) => {
    throw new Error(`flock ended with ${code}: ${path} could not be locked`);
  });
  gone.catch(() => {}); // its end is no failure later on
  await Promise.race([told, gone]);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended(holder);
  }
}
