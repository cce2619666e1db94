import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type BuildOptions, build } from 'esbuild';

/** As tsc has compiled it: esbuild itself emits no metadata of decorators. */
const WORKER = resolve(import.meta.dirname, 'bundled-worker.js');

describe('a worker that esbuild has bundled', () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bundles-'));
  });

  after(() => rm(directory, { recursive: true, force: true }));

  /** Bundles it, and runs the bundle until it has handled a message, or has failed. */
  async function run(options: BuildOptions, which: 'unnamed' | 'named', env: NodeJS.ProcessEnv = {}) {
    const outfile = join(directory, `${JSON.stringify(options).replaceAll(/\W/g, '')}.cjs`);
    const bundle = { bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'silent' } as const;
    await build({ ...bundle, ...options, entryPoints: [WORKER] });
    const { NODE_ENV: _, ...inherited } = process.env;
    const child = spawn(process.execPath, [outfile, which], { env: { ...inherited, ...env } });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { queue: stdout.trim(), stderr, code };
  }

  for (const options of [{}, { minify: true }, { minify: true, keepNames: true }] as const)
    it(`has the queue that its class names, and nothing to say in production: ${JSON.stringify(options)}`, async () => {
      const ended = await run(options, 'named', { NODE_ENV: 'production' });
      assert.deepEqual(ended, { queue: 'mailer.welcome', stderr: '', code: 0 });
    });

  it('does not start minified if its class names no queue: the error names class and cure', async () => {
    const { queue, stderr, code } = await run({ minify: true }, 'unnamed');
    assert.deepEqual([queue, code], ['', 2]);
    assert.match(
      stderr,
      /class '[\w$]{1,2}' names no queue, and 'mailer\.[\w$]{1,2}' would not last.*@Queue\(\{ name: 'mailer\.…' \}\).*keepNames/,
    );
  });

  it('is warned of the name that esbuild gives the class, in production', async () => {
    const inProduction = await run({}, 'unnamed', { NODE_ENV: 'production' });
    assert.deepEqual([inProduction.queue, inProduction.code], ['mailer.SendWelcomeEmail2', 0]);
    assert.match(
      inProduction.stderr,
      /^hopline warn .*@Queue\(\{ name: 'mailer\.SendWelcomeEmail2' \}\).*\n$/,
    );
    assert.equal((await run({}, 'unnamed')).stderr, '');
  });

  it("keeps its class's name if esbuild is told to", async () => {
    const { queue, code } = await run({ minify: true, keepNames: true }, 'unnamed');
    assert.deepEqual([queue, code], ['mailer.SendWelcomeEmail', 0]);
  });
});
