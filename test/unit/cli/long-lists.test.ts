import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Spool } from '../../../src/cli/output/spool.js';
import { LongTable } from '../../../src/cli/output/table.js';
import { Terminal } from '../../../src/cli/output/terminal.js';

async function all<T>(spool: Spool<T>): Promise<T[]> {
  const records: T[] = [];
  for await (const block of spool.blocks()) records.push(...block);
  return records;
}

describe('a list that is kept until all have come', () => {
  let directory: string;
  let before: string | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hopline-spool-test-'));
    before = process.env.TMPDIR;
    process.env.TMPDIR = directory;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(directory, { recursive: true });
  });

  it('comes back whole and in its order, however long it is, and no file of it is to be seen', async () => {
    for (const count of [0, 3, 1_000, 3_500]) {
      const spool = new Spool<{ number: number; text: string }>();
      const records = Array.from({ length: count }, (_, number) => ({ number, text: `ä\n${number}` }));
      for (const record of records) spool.add(record);
      assert.deepEqual(await readdir(directory), []);
      assert.equal(spool.count, count);
      assert.deepEqual(await all(spool), records);
      spool.close();
    }
  });

  it('may have any separator of lines in its texts', async () => {
    const spool = new Spool<string>();
    const records = Array.from({ length: 1_000 }, (_, number) => `${number}\u2028a\u2029b\r\nc`);
    for (const record of records) spool.add(record);
    assert.deepEqual(await all(spool), records);
    spool.close();
  });

  it('stays in memory where no file can be written', async () => {
    process.env.TMPDIR = join(directory, 'missing');
    const spool = new Spool<number>();
    const records = Array.from({ length: 3_500 }, (_, number) => number);
    for (const record of records) spool.add(record);
    assert.equal(spool.count, 3_500);
    assert.deepEqual(await all(spool), records);
    spool.close();
  });
});

describe('a table in blocks', () => {
  it('has one head, and columns that stay under it; a later block may widen them', async () => {
    const stdout = new PassThrough();
    const output = stdout as unknown as NodeJS.WriteStream;
    const terminal = new Terminal(process.stdin, output, new PassThrough() as never, {});
    const table = new LongTable(terminal, ['id', 'error']);
    table.print([['one', 'a']]);
    table.print([
      ['two', 'b'],
      ['number three', 'c'],
    ]);
    table.print([['four', 'd']]);
    stdout.end();
    assert.deepEqual((await text(stdout)).split('\n'), [
      'ID   ERROR',
      'one  a',
      'two           b',
      'number three  c',
      'four          d',
      '',
    ]);
  });
});
