import { toWorker, type WorkerMetric, type WorkerSettings } from '../../worker/protocol.js';
import { type Send, Worker } from '../../worker/worker.js';
import { type Application, type ExportedBus, loadApplication } from '../application.js';
import { withoutCredentials } from '../output/without-credentials.js';
import { UsageError } from '../usage-error.js';

/** Codes of errors that a new try would not change. */
const FINAL = ['HOPLINE_OPTIONS', 'HOPLINE_HANDLER_RESOLUTION', 'HOPLINE_CONTEXT_OUTSIDE_MESSAGE'];

type Said = Error & { readonly code?: string; readonly help?: string };

/**
 * Loads the application and runs its buses until they are told to stop; resolves with the exit code.
 *
 * @param listen called once there is something to stop, with the function that takes the supervisor's
 * messages from then on
 */
export async function runWorker(
  settings: WorkerSettings,
  tell: Send,
  listen: (receive: (raw: unknown) => void) => void,
): Promise<number> {
  let application: Application;
  try {
    application = await loadApplication(settings.app);
  } catch (error) {
    // An error of loading, for instance of a database that is away, may not occur the next time.
    return refuse(error as Said, tell, error instanceof UsageError && error.cause !== undefined);
  }
  const { buses, close } = application;
  const tellMetrics = await metricsTeller(buses, settings, tell);
  tell({ kind: 'loaded' });
  const worker = new Worker(buses, settings, tell);
  listen((raw) => {
    const message = toWorker(raw);
    if (typeof message === 'object' && message.kind === 'metrics') void tellMetrics(message.request);
    else if (message) worker.receive(message);
  });
  try {
    await worker.run().finally(close);
    await tellMetrics();
    return 0;
  } catch (error) {
    await tellMetrics();
    const said = error as Said;
    if (FINAL.includes(said.code ?? '')) return refuse(said, tell, false);
    process.stderr.write(`error: ${withoutCredentials(said.message)}${said.help ? `. ${said.help}` : ''}\n`);
    return 1;
  }
}

function refuse({ message, help }: Said, tell: Send, whileLoading: boolean): number {
  tell({ kind: 'refused', message: withoutCredentials(message), help: help ?? '', whileLoading });
  return 2;
}

/** Function that tells the metrics, with the number of the request if there is one. */
async function metricsTeller(
  buses: readonly ExportedBus[],
  { app, tellsMetrics }: WorkerSettings,
  tell: Send,
): Promise<(request?: number) => Promise<void>> {
  if (!tellsMetrics) return async () => {};
  const { metricsOf } = await import('../../observe/prometheus/in-worker.js');
  const read = await metricsOf(app, buses);
  return async (request) => {
    const metrics = (await read()) as readonly WorkerMetric[];
    const message = { kind: 'metrics', metrics, ...(request === undefined ? {} : { request }) } as const;
    // The last ones must be told before the process ends.
    await new Promise<void>((resolve) => {
      if (process.connected) tell(message, resolve);
      else resolve();
    });
  };
}
