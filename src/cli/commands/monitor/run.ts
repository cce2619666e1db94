import { Alerts } from '../../../observe/alerts/alerts.js';
import { Monitored } from '../../../oversight/application/monitored.js';
import { pause } from '../../../util/clock.js';
import { silentLogger } from '../../../util/logger.js';
import { awaitSignal } from '../../../util/signals.js';
import type { DefineCommand } from '../../command.js';
import { positiveDurationMs } from '../../flag-values.js';
import { MonitorDesk } from '../../monitor/desk.js';
import { type MonitorFlags, monitoredOf, settingsOf, withMonitor } from '../../monitor/monitor-flags.js';
import { type Checked, checkOnce, notChecked } from '../../monitor/once.js';
import type { Terminal } from '../../output/terminal.js';
import { withoutCredentials } from '../../output/without-credentials.js';
import { WorkLog } from '../../work/work-log.js';

interface Flags extends MonitorFlags {
  readonly once?: boolean;
  readonly over: string;
  readonly json?: boolean;
}

const ABOUT = `
Without --once it runs until SIGTERM or Ctrl-C, and writes a log line for each alert.
Exit codes with --once, as Nagios has them: 0 well, 1 warning, 2 critical, 3 unknown.`;

/** Pause before another try to hear operators, of a monitor that runs before the first worker does. */
const LISTEN_AGAIN_MS = 30_000;

/** `hopline monitor`: looks at an application from one place, and tells of what is wrong. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  withMonitor(command)
    .option(
      '--once',
      'look now, print one line, and end with its state as the exit code; for cron and Nagios',
    )
    .option('--over <duration>', 'with --once: time between the two looks that rates are made of', '2s')
    .option('--json', 'with --once: one JSON array instead; the fields are those of AlertStatus')
    .addHelpText('after', ABOUT)
    .action(async (flags: Flags) => {
      if (!flags.once) return await run(flags, terminal);
      const { code, line, alerts } = await checked(flags, terminal);
      if (flags.json) await terminal.write(`${JSON.stringify(alerts, undefined, 2)}\n`);
      else terminal.print(line);
      // An empty list would say that all is well.
      if (flags.json && code === 3) terminal.tell(line);
      exit(code);
    })
    .exitOverride((error) => {
      // Else Nagios would take a misspelt flag for a critical state.
      if (error.exitCode !== 0 && command.opts<Flags>().once) {
        const { code, line } = notChecked(error.message);
        terminal.print(line);
        exit(code);
      }
      throw error;
    });
};

/** Whatever goes wrong, the one who reads exit codes is told that nothing is known. */
async function checked(flags: Flags, { env }: Terminal): Promise<Checked> {
  let monitored: Monitored | undefined;
  try {
    const overMs = positiveDurationMs('--over', flags.over);
    const { rules } = settingsOf(flags, env, silentLogger);
    const options = await monitoredOf(flags, env);
    const source = new Monitored(options);
    monitored = source;
    const { clock } = source.transport;
    return await checkOnce({ rules, clock, overMs, named: options.queues, look: () => source.look() });
  } catch (error) {
    return notChecked(withoutCredentials((error as Error).message));
  } finally {
    await monitored?.close();
  }
}

async function run(flags: Flags, terminal: Terminal): Promise<void> {
  const signal = awaitSignal('SIGTERM', 'SIGINT');
  const { logger } = await WorkLog.open(terminal);
  const settings = settingsOf(flags, terminal.env, logger);
  const options = await monitoredOf(flags, terminal.env);
  const monitored = new Monitored(options);
  const alerts = new Alerts({
    source: 'hopline-monitor',
    settings,
    clock: monitored.transport.clock,
    look: () => monitored.look(),
    publish: (...alert) => monitored.publish(...alert),
  });
  const desk = new MonitorDesk(monitored, alerts, logger);
  const ending = new AbortController();
  const listening = listen(desk, monitored, ending.signal);
  alerts.start();
  logger.info({ broker: options.broker.name }, 'monitoring');
  logger.info({ signal: await signal.received }, 'stopping');
  ending.abort();
  await listening;
  await alerts.stop();
  await monitored.close();
}

/** Tries until the desk is open: the exchange is declared by the first worker. */
async function listen(desk: MonitorDesk, { transport }: Monitored, ending: AbortSignal): Promise<void> {
  while (!ending.aborted) {
    const isOpen = await desk.open().then(
      () => true,
      () => false,
    );
    if (isOpen) return;
    await pause(transport.clock, LISTEN_AGAIN_MS, ending).catch(() => {});
  }
}
