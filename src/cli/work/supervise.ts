import type { FirstProcess } from '../../worker/first-process.js';
import type { WorkerSettings } from '../../worker/protocol.js';
import type { ScaleOptions } from '../../worker/scaling.js';
import { scalingFigure } from '../../worker/scaling-figure.js';
import type { Address, ScalingServer } from '../../worker/scaling-server.js';
import { Supervisor } from '../../worker/supervisor.js';
import { WorkerProcess } from '../../worker/worker-process.js';
import type { CommandContext } from '../command.js';
import { cannotListen } from '../listen-address.js';
import { WorkLog } from './work-log.js';

export interface SuperviseOptions {
  /** Number of processes; with `scale`, the initial one. */
  readonly processes: number;
  readonly scale: ScaleOptions | undefined;
  /** Address of the server that answers with the waiting messages. */
  readonly address: Address | undefined;
  /** Number of dead processes after which a message is given up. */
  readonly crashes: number;
  readonly settings: WorkerSettings;
  /** The process that is started already; the others run the same module. */
  readonly first: FirstProcess;
}

/**
 * Time above the stop timeout before a process is killed: longer than it needs to see its own deadline and
 * exit.
 */
const KILL_AFTER_MS = 5_000;

/**
 * Runs the processes until they have ended for good, and returns the exit code.
 *
 * @throws UsageError if the address can't be listened at; then no process was started
 */
export async function supervise(
  { processes, scale, address, crashes, settings, first }: SuperviseOptions,
  { terminal, early }: Pick<CommandContext, 'terminal' | 'early'>,
): Promise<number> {
  const log = await WorkLog.open(terminal);
  const supervisor = new Supervisor({
    processes,
    scale,
    spawn: (listener) => {
      const process = first.take(listener) ?? new WorkerProcess(first.entry, listener);
      process.begin(settings);
      return process;
    },
    log: log.logger,
    onLine: (worker, text, stream) => log.line(worker, text, stream),
    crashes,
    killAfterMs: settings.stopTimeoutMs + KILL_AFTER_MS,
  });
  let scaling: ScalingServer | undefined;
  // Listening comes first: a reader of the log's first line may send a signal. It lasts until the process
  // ends: a repeated signal is no crash.
  const heed = listenToSignals(supervisor, log, () => scaling?.close());
  const told = early?.take() ?? [];
  try {
    scaling = address && (await serveScaling(address, supervisor, log));
    const ended = supervisor.run();
    // Early signals are applied only now: the first process may work already, and is stopped like any other.
    for (const signal of told) heed(signal);
    return await ended;
  } finally {
    scaling?.close();
  }
}

/** Starts the server for autoscalers. @throws UsageError if the address can't be listened at */
async function serveScaling(
  address: Address,
  supervisor: Supervisor,
  { logger }: WorkLog,
): Promise<ScalingServer> {
  const figure = () => {
    const { load, size } = supervisor;
    return load && scalingFigure(load, size);
  };
  const { ScalingServer } = await import('../../worker/scaling-server.js');
  try {
    const server = await ScalingServer.listen(address, figure);
    logger.info({ url: server.url }, `what waits is told at ${server.url}`);
    return server;
  } catch (error) {
    throw cannotListen('--scaling-port', address, error);
  }
}

/** Listens to signals; returns the function that obeys one, for those that came earlier. */
function listenToSignals(
  supervisor: Supervisor,
  { logger }: WorkLog,
  onStopping: () => void,
): (signal: NodeJS.Signals) => void {
  let times = 0;
  const onStop = (signal: NodeJS.Signals) => {
    times += 1;
    if (times === 1) {
      logger.info({ signal }, 'stopping: handlers may finish');
      onStopping();
      supervisor.stop();
    } else if (times === 2) {
      logger.warn({ signal }, 'cancelling: the signals of handlers that still run are fired');
      supervisor.cancel();
    } else supervisor.kill();
  };
  const onRestart = (signal: NodeJS.Signals) => {
    if (times > 0) return;
    logger.info({ signal }, 'restarting, one process after the other');
    void supervisor.restart('a restart was asked for');
  };
  process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onRestart);
  // Before the first process there is nothing to restart.
  return (signal) => void (signal !== 'SIGHUP' && onStop(signal));
}
