import bytes from 'bytes';
import { formatMs } from '../util/duration.js';
import type { Limits } from './protocol.js';

/** Work and memory of a process. */
export interface Usage {
  /** Number of attempts that it has begun. */
  readonly jobs: number;
  /** Time since it was ready, in milliseconds. */
  readonly aliveMs: number;
  /** Resident memory, in bytes. */
  readonly memory: number;
}

/** Reason for replacing the process, as half a sentence; undefined while it is within its limits. */
export function limitReached({ maxJobs, maxTimeMs, maxMemory }: Limits, usage: Usage): string | undefined {
  if (maxJobs !== undefined && usage.jobs >= maxJobs)
    return `it has begun ${usage.jobs} jobs, and is to be replaced after ${maxJobs}`;
  if (maxTimeMs !== undefined && usage.aliveMs >= maxTimeMs)
    return `it has run for ${formatMs(Math.round(usage.aliveMs))}, and is to be replaced after ${formatMs(maxTimeMs)}`;
  if (maxMemory !== undefined && usage.memory >= maxMemory)
    return `it takes ${bytes.format(usage.memory)} of memory, and is to be replaced from ${bytes.format(maxMemory)} on`;
  return undefined;
}
