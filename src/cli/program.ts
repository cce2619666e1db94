import { Command, CommanderError } from 'commander';
import { addBatchCancel } from './commands/batch/cancel.js';
import { addBatchList } from './commands/batch/list.js';
import { addBatchRetry } from './commands/batch/retry.js';
import { addBatchShow } from './commands/batch/show.js';
import { addCancel } from './commands/cancel.js';
import { addDoctor } from './commands/doctor.js';
import { addExport } from './commands/failed/export.js';
import { addFlush } from './commands/failed/flush.js';
import { addForget } from './commands/failed/forget.js';
import { addImport } from './commands/failed/import.js';
import { addList } from './commands/failed/list.js';
import { addPrune } from './commands/failed/prune.js';
import { addRetry } from './commands/failed/retry.js';
import { addShow } from './commands/failed/show.js';
import { addOutboxRelay } from './commands/outbox/relay.js';
import { addOutboxStatus } from './commands/outbox/status.js';
import { addPause, addResume } from './commands/pause.js';
import { addPublish } from './commands/publish.js';
import { addRestart } from './commands/restart.js';
import { addScale } from './commands/scale.js';
import { addStatus } from './commands/status.js';
import { addStoresMigrate } from './commands/stores/migrate.js';
import { addTop } from './commands/top.js';
import { addTopologyPermissions } from './commands/topology/permissions.js';
import { addTopologyPrune } from './commands/topology/prune.js';
import { addTopologyShow } from './commands/topology/show.js';
import { addWork } from './commands/work.js';
import type { EarlySignals } from './early-signals.js';
import { report } from './output/report.js';
import type { Terminal } from './output/terminal.js';
import { version } from './version.js';

/** What a command needs of its surroundings. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** What came before it was loaded, if somebody has listened. */
  readonly early?: EarlySignals | undefined;
  /** 0 is success, 1 that something failed, 2 that it was called wrongly. */
  exit(code: number): void;
}

/** Adds one command; each has a file of its own in commands/. */
export type AddCommand = (parent: Command, context: CommandContext) => void;

const FAILED: readonly AddCommand[] = [
  ...[addList, addShow, addRetry, addForget, addPrune, addFlush],
  ...[addExport, addImport],
];

const BATCH: readonly AddCommand[] = [addBatchList, addBatchShow, addBatchCancel, addBatchRetry];

const CONTROL: readonly AddCommand[] = [
  addStatus,
  addTop,
  addPause,
  addResume,
  addScale,
  addCancel,
  addRestart,
];

const EXIT_CODES = `
Exit codes: 0 done, 1 failed or partly failed, 2 called wrongly (nothing was done), 130 interrupted.
The broker's address comes from AMQP_URL or --url-file, a store's from DATABASE_URL,
REDIS_URL, --database-url-file or --redis-url-file; they are never printed.`;

/** Runs one command line, and returns its exit code. */
export async function runCommand(
  args: readonly string[],
  terminal: Terminal,
  early?: EarlySignals,
): Promise<number> {
  let code = 0;
  const context: CommandContext = {
    terminal,
    early,
    exit: (its) => {
      code = its;
    },
  };
  const program = programFor(context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Its message is out already, as is the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return report(error, terminal, args.includes('--verbose'));
  }
}

function programFor(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('hopline')
    .description('Looks after the messages of Hopline services on RabbitMQ.')
    .version(version(), '-V, --version', 'print the version of Hopline')
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(add --help for the usage)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    });
  const failed = program.command('failed').description('dead letters: look, replay, forget, carry elsewhere');
  for (const add of FAILED) add(failed, context);
  addWork(program, context);
  for (const add of CONTROL) add(program, context);
  addPublish(program, context);
  addDoctor(program, context);
  const topology = program.command('topology').description('what the application wants in the broker');
  addTopologyShow(topology, context);
  addTopologyPermissions(topology, context);
  addTopologyPrune(topology, context);
  const batch = program.command('batch').description('batches of jobs: how far they are, cancel, replay');
  for (const add of BATCH) add(batch, context);
  const outbox = program.command('outbox').description('what transactions have left to be published');
  addOutboxRelay(outbox, context);
  addOutboxStatus(outbox, context);
  const stores = program.command('stores').description('what stores keep in a database');
  addStoresMigrate(stores, context);
  return program;
}
