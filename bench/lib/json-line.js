import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The folder of the programs that are run. */
export const BENCH = resolve(import.meta.dirname, '..');

const TIMEOUT_MS = 60_000;

/**
 * Runs a program of ours, and reads the line of JSON that it ends with.
 *
 * @param {string} file  below bench/
 * @param {readonly string[]} args
 * @param {readonly string[]} [nodeArgs]
 * @returns {Promise<Record<string, any>>}
 * @throws Error with what it said was wrong
 */
export async function jsonLineOf(file, args, nodeArgs = []) {
  const command = [...nodeArgs, join(BENCH, file), ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, {
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  } catch (error) {
    const { killed, stderr = '' } = /** @type {{ killed?: boolean, stderr?: string }} */ (error);
    const said = killed ? `took over ${TIMEOUT_MS / 1_000} s` : errorIn(stderr) || String(error);
    // What it says goes into the page: where this checkout lies is nobody's business there.
    throw new Error(said.replaceAll(BENCH, 'bench'), { cause: error });
  }
}

/** The error itself comes first; its stack and its cause follow. @param {string} stderr */
function errorIn(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const said = lines
    .map((line) => /^(?:\w*Error: )?(?:error: )?(.+)/.exec(line))
    .find((match) => /error: /i.test(match?.[0] ?? ''));
  return said?.[1] ?? lines.at(-1);
}
