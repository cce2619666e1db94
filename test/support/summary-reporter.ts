import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/**
 * Mocha's spec report. Beside it, `<passed> <failed>` goes to the file that TEST_SUMMARY names, and below it a line for
 * each test that failed.
 */
export default class SummaryReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const file = process.env.TEST_SUMMARY;
    const lines = [`${this.stats.passes} ${this.stats.failures}`, ...this.failures.map(lineOf)];
    if (file) writeFileSync(file, `${lines.join('\n')}\n`);
  }
}

function lineOf(test: Mocha.Test): string {
  return `${test.fullTitle()}: ${test.err?.message ?? 'no error'}`.replaceAll(/\s+/g, ' ');
}
