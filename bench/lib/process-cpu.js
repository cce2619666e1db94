import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second, on every architecture that Node runs on. */
const TICK_MS = 10;

/** User and system time of another process since its start. Linux only. @param {number} pid */
export function cpuMsOf(pid) {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The same with that of its children, those that have ended included: PostgreSQL has a process for each connection. @param {number} pid */
export function treeCpuMsOf(pid) {
  const ended = statOf(pid);
  const own = cpuMsOf(pid) + (Number(ended[13]) + Number(ended[14])) * TICK_MS;
  const living = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  return living.reduce((sum, child) => sum + cpuOrNone(Number(child)), own);
}

/** @param {string} pid */
function parentOf(pid) {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** @param {number} pid */
function cpuOrNone(pid) {
  try {
    return cpuMsOf(pid);
  } catch {
    return 0; // it has ended meanwhile
  }
}

/** What the kernel says of a process, from its state on. @param {number | string} pid */
const statOf = (pid) =>
  readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
