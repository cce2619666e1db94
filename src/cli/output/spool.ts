import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLine, linesOf } from '../../util/text/json-lines.js';

/** Records in memory, and in one block of the file. */
const BLOCK = 1_000;

/**
 * Records that are kept until all have come: a few in memory, more in a file without a name, which nobody else can open. What holds letters
 * of a queue must not wait for the reader of a pipe, and a list of them is as long as the queue. Where no file can be written, all stay in
 * memory.
 */
export class Spool<T> {
  private block: T[] = [];
  private file: number | undefined;
  private written = 0;
  private isFileBroken = false;
  count = 0;

  /** @param record what JSON can hold */
  add(record: T): void {
    this.count += 1;
    this.block.push(record);
    if (this.block.length >= BLOCK && !this.isFileBroken) this.write();
  }

  /** All records, in blocks. Once. */
  async *blocks(): AsyncGenerator<readonly T[], void, void> {
    const { file, written, block } = this;
    if (file !== undefined && written > 0) {
      // Behind that may be a part of a block that found no room.
      const input = createReadStream('', { fd: file, start: 0, end: written - 1, autoClose: false });
      for await (const line of linesOf(input)) yield JSON.parse(line) as T[];
    }
    for (let from = 0; from < block.length; from += BLOCK) yield block.slice(from, from + BLOCK);
  }

  /** Ends it; the file is gone then, whether it was read or not. */
  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  /** Called while letters are held: an error of the file must not end the connection that holds them. */
  private write(): void {
    try {
      this.file ??= nameless();
      const line = Buffer.from(`${jsonLine(this.block)}\n`);
      for (let from = 0; from < line.length; )
        from += writeSync(this.file, line, from, line.length - from, this.written + from);
      this.written += line.length;
      this.block = [];
    } catch {
      this.isFileBroken = true;
    }
  }
}

/** A file that only this process has, and that goes with it. */
function nameless(): number {
  const directory = mkdtempSync(join(tmpdir(), 'hopline-'));
  try {
    return openSync(join(directory, 'spool'), 'wx+', 0o600);
  } finally {
    // An open file of Windows can't be removed: it is left to the system there.
    if (process.platform !== 'win32') rmSync(directory, { recursive: true, force: true });
  }
}
