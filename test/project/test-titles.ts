import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './repository.js';

export interface TestTitle {
  readonly title: string;
  /** With those of the suites around it before it: as a reporter of one line a test prints it. */
  readonly fullTitle: string;
  readonly file: string;
}

let reading: Promise<readonly TestTitle[]> | undefined;

/** Every test there is, as mocha would run it: titles that the code puts together are there, and no test is run. */
export function testTitles(): Promise<readonly TestTitle[]> {
  reading ??= dryRun();
  return reading;
}

/** @param env such as what `npm test` sets to leave long tests out */
export async function dryRun(env: NodeJS.ProcessEnv = { TEST_SHORT: '' }): Promise<readonly TestTitle[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hopline-titles-'));
  const output = join(folder, 'tests.json');
  try {
    const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
    const reporter = ['--reporter', 'json', '--reporter-option', `output=${output}`];
    await run(process.execPath, [mocha, '--dry-run', ...reporter, 'dist/test/**/*.test.js'], {
      cwd: root,
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return (JSON.parse(await readFile(output, 'utf8')) as { tests: TestTitle[] }).tests;
  } finally {
    await rm(folder, { recursive: true });
  }
}
