#!/usr/bin/env node
import { runCommand } from './program.js';
import { Terminal } from './terminal.js';

const terminal = new Terminal(process.stdin, process.stdout, process.stderr, process.env);
const code = await runCommand(process.argv.slice(2), terminal);
// The application that was loaded to read its queues may hold timers or connections of its own: nothing here waits.
await terminal.flushed();
process.exit(code);
