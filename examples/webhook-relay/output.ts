import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the services write: the user's directory, or a temporary one that `remove` takes away again. */
export async function outputDirectory(
  chosen: string | undefined,
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  if (chosen !== undefined) {
    await mkdir(chosen, { recursive: true });
    return { path: chosen, remove: async () => {} };
  }
  const path = await mkdtemp(join(tmpdir(), 'webhook-relay-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
