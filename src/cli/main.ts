#!/usr/bin/env node
import { join } from 'node:path';
import type { FirstProcess } from '../worker/first-process.js';
import { EarlySignals } from './early-signals.js';

// Signals are collected before anything that takes time to load. Commands other than `work` end at a signal,
// by Node's default.
const early = new EarlySignals();
let first: FirstProcess | undefined;
if (process.argv.slice(2).find((word) => !word.startsWith('-')) === 'work') {
  early.listen();
  // The worker takes as long to start as this process, so it starts now. If it is not needed, it has done
  // nothing, and ends with this process.
  const { FirstProcess } = await import('../worker/first-process.js');
  first = new FirstProcess(join(import.meta.dirname, 'work-process.js'));
}

const { Terminal } = await import('./output/terminal.js');
const { runCommand } = await import('./program.js');
const terminal = new Terminal(process.stdin, process.stdout, process.stderr, process.env);
const code = await runCommand(process.argv.slice(2), terminal, { early, first });
// The application that was loaded to read its queues may hold timers or connections of its own, so the
// process doesn't wait for them.
await terminal.flushed();
process.exit(code);
