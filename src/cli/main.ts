#!/usr/bin/env node
import { EarlySignals } from './early-signals.js';

// Before anything that takes time to load. Other commands end at a signal, as programs do that say nothing else.
const early = new EarlySignals();
if (process.argv[2] === 'work') early.listen();

const { Terminal } = await import('./output/terminal.js');
const { runCommand } = await import('./program.js');
const terminal = new Terminal(process.stdin, process.stdout, process.stderr, process.env);
const code = await runCommand(process.argv.slice(2), terminal, { early });
// The application that was loaded to read its queues may hold timers or connections of its own: nothing here waits.
await terminal.flushed();
process.exit(code);
