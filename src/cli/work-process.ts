import type { FromWorker, ToWorker, WorkerSettings } from '../worker/protocol.js';

/*
 * A worker process, which the supervisor of `hopline work` starts. Exit codes: 0 it has stopped in order, 1
 * something failed or was left behind, 2 it can't work as it was started.
 *
 * The process listens to the supervisor before its imports, which take a while, and before the application,
 * which may take longer. Until there is something to stop, `stop` ends it at once. It may be started before
 * its settings are known: it loads its own modules meanwhile, and the application only with the settings.
 */

const tell = (message: FromWorker, sent = () => {}) => {
  // A lost supervisor is reported by 'disconnect'.
  if (process.connected) process.send?.({ hopline: message }, () => sent());
};

let begin: (settings: WorkerSettings) => void;
const told = new Promise<WorkerSettings>((resolve) => {
  begin = resolve;
});

let receive = (raw: unknown): void => {
  const word = (raw as { hopline?: ToWorker } | null)?.hopline;
  if (word === 'stop' || word === 'cancel') process.exit(0);
  if (typeof word === 'object' && word?.kind === 'settings') begin(word.settings);
};

process.on('message', (raw) => receive(raw));
process.on('SIGTERM', () => receive({ hopline: 'stop' }));
// Ctrl-C, and the end of a terminal, reach the supervisor as well, whose message counts.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
// Without its supervisor nobody would ever stop this process.
process.on('disconnect', () => receive({ hopline: 'stop' }));
// The supervisor may have gone before this process listened.
if (!process.connected) process.exit(0);
tell({ kind: 'loads' });

const { runWorker } = await import('./work/run-worker.js');
const code = await runWorker(await told, tell, (heed) => {
  receive = heed;
});
// The application may hold timers and connections of its own, so the process exits by itself, once its
// messages are sent.
if (process.connected) process.once('disconnect', () => process.exit(code)).disconnect();
else process.exit(code);
