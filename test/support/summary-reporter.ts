import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** What one mocha process writes into the file that TEST_SUMMARY names, as JSON. */
export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  /** A line for each test that failed: its full title, and why. */
  readonly failures: readonly string[];
  /** Without the hooks around them. */
  readonly tests: readonly Timed[];
  /** With their hooks, and with a broker if that was started for them. */
  readonly files: readonly Timed[];
}

export interface Timed {
  readonly name: string;
  readonly ms: number;
}

/** Quicker ones are of no interest: there are thousands. */
const SLOW_MS = 500;

/** Mocha's spec report, and beside it the {@link TestSummary}. */
export default class SummaryReporter extends Mocha.reporters.Spec {
  private readonly tests: Timed[] = [];
  private readonly files = new Map<string, number>();

  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const { EVENT_HOOK_END, EVENT_TEST_END } = Mocha.Runner.constants;
    let last = performance.now();
    const ended = (file = 'all files') => {
      const now = performance.now();
      this.files.set(file, (this.files.get(file) ?? 0) + now - last);
      last = now;
    };
    runner.on(EVENT_HOOK_END, (hook) => ended(hook.file ?? hook.parent?.file));
    runner.on(EVENT_TEST_END, (test) => {
      ended(test.file);
      const { duration: ms = 0 } = test;
      if (ms >= SLOW_MS) this.tests.push({ name: test.fullTitle(), ms });
    });
  }

  override epilogue(): void {
    super.epilogue();
    const file = process.env.TEST_SUMMARY;
    if (!file) return;
    const { passes: passed, failures: failed } = this.stats;
    const files = [...this.files].map(([name, ms]) => ({ name, ms }));
    const failures = this.failures.map(lineOf);
    const summary: TestSummary = { passed, failed, failures, tests: this.tests, files };
    writeFileSync(file, JSON.stringify(summary));
  }
}

function lineOf(test: Mocha.Test): string {
  return `${test.fullTitle()}: ${test.err?.message ?? 'no error'}`.replaceAll(/\s+/g, ' ');
}
