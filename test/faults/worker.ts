import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Behaviour } from './worker-process.js';

/** A worker in a process of its own, which a test may signal and kill. */
export interface Worker {
  readonly process: ChildProcess;
  /** What it told, in its order. */
  readonly said: string[];
  /** Exit code, or the signal that ended it. */
  readonly end: Promise<number | NodeJS.Signals>;
}

const running = new Set<Worker>();

/** Starts one; see {@link Behaviour} for what it can do. */
export const startWorker = (behaviour: Behaviour, url: string, service: string): Worker =>
  startProcess('./worker-process.js', behaviour, url, service);

/** Starts another of the programs here. */
export function startProcess(program: string, ...args: readonly string[]): Worker {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [...args]);
  const said: string[] = [];
  child.on('message', (what) => said.push(String(what)));
  const end = once(child, 'close').then(([code, signal]) => code ?? signal);
  const worker = { process: child, said, end };
  running.add(worker);
  void end.then(() => running.delete(worker));
  return worker;
}

/** For `afterEach`: a test that failed half-way leaves none behind. */
export async function killWorkers(): Promise<void> {
  const ends = [...running].map(({ process: child, end }) => {
    child.kill('SIGKILL');
    return end;
  });
  await Promise.all(ends);
}
