import { readFile } from 'node:fs/promises';

/** Listeners open a little before the boot is over; this line is its last. */
const COMPLETE = 'Server startup complete';

const TROUBLE = /\[(error|critical|warning)\]|\berror\b/i;

/** Time, level and Erlang process, which each line repeats. */
const PREFIX = /^[\d-]+ [\d:.+]+ \[\w+\] <[\d.]+> */;

const MOST_LINES = 12;

export async function bootIsComplete(path: string): Promise<boolean> {
  return (await readFile(path, 'utf8')).includes(COMPLETE);
}

/** The lines that tell why a node didn't start; the last ones if none looks like an error. */
export async function troubleIn(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const trouble = lines.filter((line) => TROUBLE.test(line));
  const told = (trouble.length > 0 ? trouble : lines)
    .map((line) => line.replace(PREFIX, ''))
    .filter(hasWords);
  // The server logs most of it twice.
  const distinct = [...new Set(told)];
  return (trouble.length > 0 ? distinct.slice(0, MOST_LINES) : distinct.slice(-MOST_LINES)).join('\n');
}

function hasWords(line: string): boolean {
  return /\w/.test(line);
}
