import { type FromWorker, marked, type ToWorker, toWorker, type WorkerSettings } from '../worker/protocol.js';
import { Worker } from '../worker/worker.js';
import { loadApplication } from './application.js';
import { withoutCredentials } from './report.js';
import { UsageError } from './usage-error.js';

/*
 * A worker process, which the supervisor of `hopline work` starts. Exit codes: 0 it has stopped in order, 1 something
 * failed or was left behind, 2 it can't work as it was started.
 */

/** Codes of errors that no other try changes. */
const FINAL = ['HOPLINE_OPTIONS', 'HOPLINE_HANDLER_RESOLUTION', 'HOPLINE_CONTEXT_OUTSIDE_MESSAGE'];

const tell = (message: FromWorker) => void process.send?.(marked(message));

/** What it was told while the application was being loaded. */
const told: ToWorker[] = [];
let receive: (message: ToWorker) => void = (message) => void told.push(message);

process.on('message', (raw) => {
  const message = toWorker(raw);
  if (message) receive(message);
});
process.on('SIGTERM', () => receive('stop'));
// Ctrl-C goes to the supervisor as well, whose word counts: it tells a first one from a second.
process.on('SIGINT', () => {});
// Without its supervisor nobody would ever stop it.
process.on('disconnect', () => receive('stop'));

async function main(): Promise<number> {
  const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
  try {
    const worker = new Worker(await loadApplication(settings.app), settings, tell);
    receive = (message) => worker.receive(message);
    for (const message of told) receive(message);
    await worker.run();
    return 0;
  } catch (error) {
    const { message, code, help } = error as { message: string; code?: string; help?: string };
    // What broke while it was loaded, a database that is away for instance, may be well the next time.
    const isFinal = error instanceof UsageError ? error.cause === undefined : FINAL.includes(code ?? '');
    if (!isFinal) {
      process.stderr.write(`error: ${withoutCredentials(message)}${help ? `. ${help}` : ''}\n`);
      return 1;
    }
    tell({ kind: 'refused', message: withoutCredentials(message), help: help ?? '' });
    return 2;
  }
}

const code = await main();
// The application may hold timers and connections of its own; what was told must be out before.
if (process.connected) process.once('disconnect', () => process.exit(code)).disconnect();
else process.exit(code);
