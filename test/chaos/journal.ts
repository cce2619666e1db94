import { openSync, readFileSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kind, QueueName } from './traffic.js';

/** What happened to one message, as the process that saw it wrote it down. */
export type Entry =
  | { readonly what: 'attempted'; readonly id: string; readonly kind: Kind }
  | { readonly what: 'confirmed'; readonly id: string }
  /** The publish ended in an error: the broker may have the message or not. */
  | { readonly what: 'refused'; readonly id: string; readonly error: string }
  | { readonly what: 'handled'; readonly id: string; readonly queue: QueueName; readonly attempt: number }
  | { readonly what: 'dead-lettered'; readonly id: string; readonly queue: string; readonly reason: string }
  /** A publisher ended in order: every publish of its run has ended before. */
  | { readonly what: 'ended'; readonly run: string };

/**
 * Where a process writes down what happened. Each entry is with the kernel when {@link write} returns, so that nothing is
 * forgotten by a process that is killed at the next instruction.
 */
export class Journal {
  private readonly file: number;

  constructor(folder: string, name: string) {
    this.file = openSync(join(folder, `${name}${SUFFIX}`), 'a');
  }

  write(entry: Entry): void {
    writeSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}

const SUFFIX = '.journal';

/** All entries of all processes. A process that was killed in the middle of a line has not written it. */
export async function readJournals(folder: string): Promise<Entry[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  return names.flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    // What follows the last line break is empty, or the half that was written.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
  });
}
