import { dashboard } from '../../../dashboard/index.js';
import { awaitSignal } from '../../../util/signals.js';
import type { DefineCommand } from '../../command.js';
import { applicationsOf } from '../../dashboard/applications.js';
import { authOf, type DashboardFlags, withDashboard } from '../../dashboard/flags.js';
import { storesOf } from '../../dashboard/stores.js';
import { cannotListen, listenAddress } from '../../listen-address.js';
import type { Terminal } from '../../output/terminal.js';
import { WorkLog } from '../../work/work-log.js';

const ABOUT = `
Without --auth it answers to this machine alone, and without --allow-actions nothing can be changed.
It runs until SIGTERM or Ctrl-C, and writes a log line for each action.`;

/** `hopline dashboard`: serves the pages of an application. */
export const define: DefineCommand = (command, { terminal }) => {
  withDashboard(command)
    .addHelpText('after', ABOUT)
    .action((flags: DashboardFlags) => serve(flags, terminal));
};

async function serve(flags: DashboardFlags, terminal: Terminal): Promise<void> {
  const signal = awaitSignal('SIGTERM', 'SIGINT');
  const { port } = listenAddress('--port', flags.port);
  const { host } = flags;
  const { logger } = await WorkLog.open(terminal);
  const { stores, close } = await storesOf(flags, terminal);
  try {
    const pages = dashboard({ ...(await optionsOf(flags, terminal, stores)), log: logger });
    try {
      const url = await pages.listen({ port, host }).catch((error: NodeJS.ErrnoException) => {
        throw error.syscall === undefined ? error : cannotListen('--port', { host, port }, error);
      });
      terminal.print(`dashboard at ${url}`);
      logger.info({ signal: await signal.received }, 'stopping');
    } finally {
      await pages.close();
    }
  } finally {
    signal.end();
    await close();
  }
}

async function optionsOf(
  flags: DashboardFlags,
  { env }: Terminal,
  stores: Parameters<typeof applicationsOf>[2],
) {
  const { path, allowActions, allowedHost, prometheus, redact, traceLink, logLink } = flags;
  const auth = authOf(flags);
  return {
    applications: await applicationsOf(flags, env, stores),
    ...(path === undefined ? {} : { path }),
    ...(auth ? { auth } : {}),
    ...(allowActions ? { allowActions } : {}),
    ...(allowedHost ? { allowedHosts: allowedHost } : {}),
    ...(prometheus === undefined ? {} : { prometheus }),
    ...(redact ? { redact } : {}),
    links: {
      ...(traceLink === undefined ? {} : { trace: traceLink }),
      ...(logLink === undefined ? {} : { logs: logLink }),
    },
  };
}
