import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WorkerSettings } from '../../worker/protocol.js';
import { appOfPackage } from '../application.js';
import type { DefineCommand } from '../command.js';
import {
  byteSize,
  durationList,
  durationMs,
  nameList,
  positiveDurationMs,
  range,
  wholeNumber,
} from '../flag-values.js';
import { listenAddress } from '../listen-address.js';
import { UsageError } from '../usage-error.js';

interface Flags {
  readonly queues?: string;
  readonly lanes?: string;
  readonly processes: string;
  readonly concurrency?: string;
  readonly tries?: string;
  readonly backoff?: string;
  readonly timeout?: string;
  readonly stopWhenEmpty?: boolean;
  readonly maxJobs?: string;
  readonly maxTime?: string;
  readonly maxMemory?: string;
  readonly stopTimeout: string;
  readonly clearWithin: string;
  readonly coolDown: string;
  readonly scalingPort?: string;
  readonly metricsPort?: string;
  readonly crashes: string;
}

const ABOUT = `
SIGTERM and Ctrl-C let handlers finish, within --stop-timeout; a second one fires the signals of those that still run, a third
ends all at once. SIGHUP replaces the processes one after the other.
Exit codes: 0 stopped in order, 1 work was left behind, 2 called wrongly, or the application can't be run.`;

/** `hopline work [APP]`: runs a service's handlers in supervised processes. */
export const define: DefineCommand = (command, { terminal, exit, early, first }) => {
  command
    .argument('[app]', 'module that exports its bus; else hopline.app of the nearest package.json')
    .option(
      '--queues <names>',
      'only these queues, separated by commas: an earlier one is served before a later one',
    )
    .option('--lanes <names>', 'only these lanes of its queues, in this order')
    .option('--processes <number>', 'number of processes; or minimum and maximum, scaled by load: 2..8', '1')
    .option('--clear-within <duration>', 'with --processes 2..8: time to handle the waiting messages', '10s')
    .option('--cool-down <duration>', 'with --processes 2..8: minimum time between changes', '5s')
    .option(
      '--scaling-port <address>',
      'answer GET /scaling with message counts: 9464, or 0.0.0.0:9464 for all',
    )
    .option(
      '--metrics-port <address>',
      'answer GET /metrics for Prometheus, for all processes; needs prom-client',
    )
    .option('--concurrency <number>', 'messages at once in each process; overrides the queues')
    .option('--tries <number>', 'maximum attempts, for handlers that set none')
    .option('--backoff <durations>', 'pauses between attempts, the last one repeats: 10s, or 1s,10s,1m')
    .option('--timeout <duration>', 'maximum duration of an attempt, for handlers that set none')
    .option('--stop-when-empty', 'end when the queues are empty; delayed messages are not waited for')
    .option('--max-jobs <number>', 'replace a process that has begun this many messages')
    .option('--max-time <duration>', 'replace a process that has run for this time: 30m, 1h')
    .option('--max-memory <size>', 'replace a process that takes this much memory: 512MB')
    .option(
      '--crashes <number>',
      'dead-letter a message that has ended this many processes, each while it ran alone',
      '3',
    )
    .option('--stop-timeout <duration>', 'maximum time for a process to stop', '30s')
    .addHelpText('after', ABOUT)
    .action(async (given: string | undefined, flags: Flags) => {
      const { min, max } = range('--processes', flags.processes);
      const scale = max > min ? { min, max, ...paceOf(flags) } : undefined;
      const addresses = {
        scaling: addressOf('--scaling-port', flags.scalingPort),
        metrics: addressOf('--metrics-port', flags.metricsPort),
      };
      const reportsLoad = scale !== undefined || addresses.scaling !== undefined;
      const tellsMetrics = addresses.metrics !== undefined;
      const crashes = crashesOf(flags);
      const settings: WorkerSettings = { ...settingsOf(given, flags), reportsLoad, tellsMetrics };
      if (!first) throw new Error('hopline work runs as a process of its own only');
      // With an address, which may turn out to be taken, the application is loaded only once the server
      // listens.
      if (!addresses.scaling && !addresses.metrics) first.begin(settings);
      const { supervise } = await import('../work/supervise.js');
      exit(
        await supervise({ processes: min, scale, addresses, crashes, settings, first }, { terminal, early }),
      );
    });
};

function addressOf(flag: string, given: string | undefined) {
  return given === undefined ? undefined : listenAddress(flag, given);
}

/** Reads `--crashes`. @throws UsageError */
function crashesOf(flags: Flags): number {
  const crashes = wholeNumber('--crashes', flags.crashes);
  if (crashes > 1) return crashes;
  throw new UsageError(
    '--crashes is less than 2',
    'A process may die once while any message runs: give 2 at least',
  );
}

/** Reads `--clear-within` and `--cool-down`. @throws UsageError */
function paceOf({ clearWithin, coolDown }: Flags) {
  return {
    clearWithinMs: durationMs('--clear-within', clearWithin),
    coolDownMs: durationMs('--cool-down', coolDown),
  };
}

/** Reads the settings of the worker processes. @throws UsageError */
function settingsOf(
  given: string | undefined,
  flags: Flags,
): Omit<WorkerSettings, 'reportsLoad' | 'tellsMetrics'> {
  const { queues, lanes, concurrency, timeout, maxJobs, maxTime, maxMemory } = flags;
  return {
    app: appFrom(given),
    queues: queues === undefined ? undefined : nameList('--queues', queues),
    lanes: lanes === undefined ? undefined : nameList('--lanes', lanes),
    concurrency: concurrency === undefined ? undefined : wholeNumber('--concurrency', concurrency),
    retry: retryOf(flags),
    timeoutMs: timeout === undefined ? undefined : positiveDurationMs('--timeout', timeout),
    stopWhenEmpty: flags.stopWhenEmpty === true,
    stopTimeoutMs: durationMs('--stop-timeout', flags.stopTimeout),
    limits: {
      maxJobs: maxJobs === undefined ? undefined : wholeNumber('--max-jobs', maxJobs),
      maxTimeMs: maxTime === undefined ? undefined : durationMs('--max-time', maxTime),
      maxMemory: maxMemory === undefined ? undefined : byteSize('--max-memory', maxMemory),
    },
  };
}

/** Reads `--tries` and `--backoff`. @throws UsageError */
function retryOf({ tries, backoff }: Flags): WorkerSettings['retry'] {
  if (tries === undefined && backoff === undefined) return undefined;
  return {
    ...(tries === undefined ? {} : { tries: wholeNumber('--tries', tries) }),
    ...(backoff === undefined ? {} : { backoff: durationList('--backoff', backoff) }),
  };
}

function appFrom(given: string | undefined): string {
  const app = given ?? appOfPackage(process.cwd());
  if (app === undefined)
    throw new UsageError(
      'no application is named',
      'Give the module that exports its bus, or name it as hopline.app in package.json',
    );
  if (!existsSync(app))
    throw new UsageError(`there is no application '${app}'`, 'Build it first, or correct its path');
  return resolve(app);
}
