import type { FromWorker, ToWorker, WorkerSettings } from '../worker/protocol.js';

/*
 * A worker process, which the supervisor of `hopline work` starts. Exit codes: 0 it has stopped in order, 1 something
 * failed or was left behind, 2 it can't work as it was started.
 *
 * What it imports takes a while to load, and the application may take longer: it listens before. Until there is something
 * to stop, it ends as soon as it is told to. It may be started before its settings are known, and loads what is its own
 * meanwhile; the application only with them.
 */

const tell = (message: FromWorker, sent = () => {}) => {
  // A supervisor that is gone is told of by 'disconnect'.
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
// Ctrl-C, and the end of a terminal, go to the supervisor as well, whose word counts.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
// Without its supervisor nobody would ever stop it.
process.on('disconnect', () => receive({ hopline: 'stop' }));
// It may have gone before somebody listened.
if (!process.connected) process.exit(0);
tell({ kind: 'loads' });

const { runWorker } = await import('./work/run-worker.js');
const code = await runWorker(await told, tell, (heed) => {
  receive = heed;
});
// The application may hold timers and connections of its own; what was told must be out before.
if (process.connected) process.once('disconnect', () => process.exit(code)).disconnect();
else process.exit(code);
