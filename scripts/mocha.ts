import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestSummary } from '../test/support/summary-reporter.js';

/** From its last test on: longer than the brokers take to stop. */
const END_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

export interface MochaResult extends TestSummary {
  readonly seconds: number;
  /** What no count says: it has crashed, or did not end. */
  readonly remark: string;
}

export interface MochaOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** It is told what mocha writes, which else goes where this process writes. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** How long it may go on when all tests have been run. @default 60,000 */
  readonly endWithinMs?: number;
}

/** One mocha process. */
export interface MochaProcess {
  /** How it ended; never rejects for what a test did. */
  readonly ended: Promise<MochaResult>;
  /** Ends it now. */
  interrupt(): void;
}

/** Runs mocha here, with the repository's settings. */
export async function startMocha(options: MochaOptions): Promise<MochaProcess> {
  const { args, env, onOutput, endWithinMs = END_WITHIN_MS } = options;
  const folder = await mkdtemp(join(tmpdir(), 'hopline-mocha-'));
  const summary = join(folder, 'summary');
  const began = performance.now();
  const output = onOutput ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, [mocha, ...args], {
    env: { ...process.env, ...env, TEST_SUMMARY: summary },
    stdio: ['ignore', output, output],
  });
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream?.on('data', onOutput);
  // The one signal that mocha hands on to the process that it runs the tests in.
  const interrupt = () => void child.kill('SIGINT');
  const ending = async (): Promise<MochaResult> => {
    const lingering = endLingering(summary, endWithinMs, interrupt);
    try {
      const [code, signal] = await once(child, 'close');
      const told = await readFile(summary, 'utf8').catch(() => '');
      const seconds = Math.round((performance.now() - began) / 1_000);
      const result = { ...resultOf(summaryIn(told), signal ?? code), seconds };
      // Mocha's exit code only counts tests then.
      return lingering.isEnded()
        ? { ...result, failed: Math.max(result.failed, 1), remark: LINGERED }
        : result;
    } finally {
      lingering.stopLooking();
      await rm(folder, { recursive: true });
    }
  };
  return { ended: ending(), interrupt };
}

const LINGERED = 'it had to be ended: something that a test has left keeps it running';

/** What a failed test leaves, a loop that publishes for instance, would keep the run from ever ending. */
function endLingering(summary: string, afterMs: number, interrupt: () => void) {
  let doneAt: number | undefined;
  let ended = false;
  const looking = setInterval(
    () => {
      if (doneAt === undefined && existsSync(summary)) doneAt = performance.now();
      if (doneAt === undefined || performance.now() - doneAt < afterMs) return;
      ended = true;
      interrupt();
    },
    Math.min(LOOK_EVERY_MS, afterMs),
  );
  return { isEnded: () => ended, stopLooking: () => clearInterval(looking) };
}

/** What the reporter has written; undefined if it was not called to the end. */
export function summaryIn(text: string): TestSummary | undefined {
  try {
    return JSON.parse(text) as TestSummary;
  } catch {
    return undefined;
  }
}

/** Of a process that has run no test. */
export const NOTHING: TestSummary = { passed: 0, failed: 0, failures: [], tests: [], files: [] };

/** A process that ended before it could count, or not as its counts say, has crashed: that is one failure at least. */
export function resultOf(
  summary: TestSummary | undefined,
  exit: number | NodeJS.Signals,
): Omit<MochaResult, 'seconds'> {
  const counted = summary ?? NOTHING;
  const crashed = summary === undefined || (counted.failed === 0 && exit !== 0);
  return {
    ...counted,
    failed: crashed ? 1 : counted.failed,
    remark: crashed ? `mocha ended with ${exit}` : '',
  };
}

export function sumOf(results: readonly Counts[]): Counts {
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
}
