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
 * @throws Error with what it printed last
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
    const said = killed ? `took over ${TIMEOUT_MS / 1_000} s` : lastErrorIn(stderr) || String(error);
    throw new Error(`${file} ${args.join(' ')}: ${said}`, { cause: error });
  }
}

/** @param {string} stderr */
function lastErrorIn(stderr) {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
}
