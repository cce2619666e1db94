import type { FirstProcess } from '../../worker/first-process.js';
import { MetricsGatherer } from '../../worker/metrics-gatherer.js';
import type { Address } from '../../worker/page-server.js';
import type { WorkerSettings } from '../../worker/protocol.js';
import type { ScaleOptions } from '../../worker/scaling.js';
import { Supervisor } from '../../worker/supervisor.js';
import { WorkerProcess } from '../../worker/worker-process.js';
import type { CommandContext } from '../command.js';
import { UsageError } from '../usage-error.js';
import type { Page, PageAddresses, PageServers } from './pages.js';
import { WorkLog } from './work-log.js';

export interface SuperviseOptions {
  /** Number of processes; with `scale`, the initial one. */
  readonly processes: number;
  readonly scale: ScaleOptions | undefined;
  readonly addresses: PageAddresses;
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
 * @throws UsageError if an address can't be listened at, or prom-client is not installed; then no process was started
 */
export async function supervise(
  { processes, scale, addresses, crashes, settings, first }: SuperviseOptions,
  { terminal, early }: Pick<CommandContext, 'terminal' | 'early'>,
): Promise<number> {
  const log = await WorkLog.open(terminal);
  const metrics = addresses.metrics && new MetricsGatherer();
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
    metrics,
    killAfterMs: settings.stopTimeoutMs + KILL_AFTER_MS,
  });
  let servers: PageServers | undefined;
  // Listening comes first: a reader of the log's first line may send a signal. It lasts until the process
  // ends: a repeated signal is no crash.
  const heed = listenToSignals(supervisor, log, () => servers?.stopping());
  const told = early?.take() ?? [];
  try {
    if (addresses.scaling || metrics)
      servers = await serve(addresses, { supervisor, metrics, app: settings.app }, log);
    const ended = supervisor.run();
    // Early signals are applied only now: the first process may work already, and is stopped like any other.
    for (const signal of told) heed(signal);
    return await ended;
  } finally {
    servers?.close();
  }
}

interface Served {
  readonly supervisor: Supervisor;
  readonly metrics: MetricsGatherer | undefined;
  readonly app: string;
}

/** Serves the pages that have an address. @throws UsageError */
async function serve(
  addresses: PageAddresses,
  { supervisor, metrics, app }: Served,
  log: WorkLog,
): Promise<PageServers> {
  const { metricsPageOf, PageServers, scalingPage } = await import('./pages.js');
  const pages: [Page, Address][] = [];
  if (addresses.scaling) pages.push([scalingPage(supervisor), addresses.scaling]);
  if (addresses.metrics && metrics) {
    const page = await metricsPageOf(app, metrics).catch((cause) => {
      throw new UsageError(
        "--metrics-port needs prom-client, which can't be loaded",
        'Install it beside the application: npm install prom-client',
        { cause },
      );
    });
    pages.push([page, addresses.metrics]);
  }
  return PageServers.open(pages, log);
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
