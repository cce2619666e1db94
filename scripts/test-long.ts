import { startMocha } from './mocha.js';
import { longFilesIn } from './test-parts.js';

/*
 * `npm run test:long [-- --grep 'cluster']`: whole, the files of which `npm test` leaves something out, or does it with less.
 */

const { ended, interrupt } = await startMocha({
  args: [...longFilesIn('dist/test'), ...process.argv.slice(2)],
  env: { TEST_SHORT: '' },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
const { passed, failed, seconds, remark } = await ended;
console.log(`${passed} passed, ${failed} failed in ${seconds} s${remark && `; ${remark}`}`);
process.exitCode = failed === 0 ? 0 : 1;
