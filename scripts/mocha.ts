import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export interface MochaResult extends Counts {
  readonly seconds: number;
  /** What no count says: it has crashed. */
  readonly remark: string;
}

export interface MochaOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It is told what mocha writes, which else goes where this process writes. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** One mocha process. */
export interface MochaProcess {
  /** How it ended; never rejects for what a test did. */
  readonly ended: Promise<MochaResult>;
  /** Ends it now. */
  interrupt(): void;
}

/** Runs mocha here, with the repository's settings. */
export async function startMocha({ args, env, onOutput }: MochaOptions): Promise<MochaProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'hopline-mocha-'));
  const summary = join(folder, 'summary');
  const began = performance.now();
  const output = onOutput ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, [mocha, ...args], {
    env: { ...process.env, ...env, TEST_SUMMARY: summary },
    stdio: ['ignore', output, output],
  });
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream?.on('data', onOutput);
  const ending = async (): Promise<MochaResult> => {
    try {
      const [code, signal] = await once(child, 'close');
      const told = countsIn(await readFile(summary, 'utf8').catch(() => ''));
      const seconds = Math.round((performance.now() - began) / 1_000);
      return { ...resultOf(told, signal ?? code), seconds };
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  // The one signal that mocha hands on to the process that it runs the tests in.
  return { ended: ending(), interrupt: () => void child.kill('SIGINT') };
}

/** From what the reporter has written; undefined if it was not called to the end. */
export function countsIn(summary: string): Counts | undefined {
  const [, passed, failed] = /^(\d+) (\d+)$/m.exec(summary) ?? [];
  return failed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}

/** A process that ended before it could count, or not as its counts say, has crashed: that is one failure at least. */
export function resultOf(
  counts: Counts | undefined,
  exit: number | NodeJS.Signals,
): Omit<MochaResult, 'seconds'> {
  const { passed, failed } = counts ?? { passed: 0, failed: 0 };
  const crashed = counts === undefined || (failed === 0 && exit !== 0);
  return { passed, failed: crashed ? 1 : failed, remark: crashed ? `mocha ended with ${exit}` : '' };
}

export function sumOf(results: readonly Counts[]): Counts {
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
}
