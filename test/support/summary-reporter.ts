import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** Mocha's spec report. Beside it, `<passed> <failed>` goes to the file that TEST_SUMMARY names: .ci/run ends with it. */
export default class SummaryReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const file = process.env.TEST_SUMMARY;
    if (file) writeFileSync(file, `${this.stats.passes} ${this.stats.failures}\n`);
  }
}
