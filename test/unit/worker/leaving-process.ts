import { spawn } from 'node:child_process';

/* A worker process that leaves another behind, which writes to the same output. Says its process id. */

const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'inherit' });
process.stdout.write(`${child.pid}\n`, () => process.exit(3));
