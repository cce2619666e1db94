import 'reflect-metadata';
import { Books } from './books.js';
import { describeError } from './describe-error.js';
import { heldOpen, type Input, linesOf, type Rejected, samples, unhurried } from './input.js';
import { type Options, readOptions, USAGE, UsageError } from './options.js';
import { showProgress } from './progress.js';
import { relay } from './relay.js';
import { accountLines, tableOf } from './report.js';
import { knownHandlers, routes } from './services/routes.js';

/** GitHub's webhooks, through three services, with an account of every message. README.md says how to read it. */

/** Signals that end a run early, with the exit codes that shells know them by. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

class Interrupted extends Error {
  constructor(readonly signal: keyof typeof SIGNALS) {
    super(`interrupted by ${signal}`);
  }
}

/** How many bad lines are shown one by one. */
const SHOWN = 20;

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`error: ${describeError(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}\n`);
  if (error instanceof Interrupted) return SIGNALS[error.signal];
  return error instanceof UsageError ? 2 : 1;
});

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const ending = new AbortController();
  const watched = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Once: a second one ends the process as usual.
    process.once(signal, () => {
      // Whoever has watched long enough gets the account of what there was.
      if (options.dashboardPort !== undefined) watched.abort();
      else ending.abort(new Interrupted(signal));
    });
  }
  return run(options, ending, watched.signal);
}

async function run(options: Options, ending: AbortController, watched: AbortSignal): Promise<number> {
  const { file, amqpUrl, processes, deadlineMs, dashboardPort } = options;
  const given = file === undefined ? undefined : await opened(file, ending.signal);
  const input = dashboardPort === undefined ? (given ?? samples()) : whileWatched(given, watched);
  const where = amqpUrl
    ? `on RabbitMQ, ${processes ? 'each service a process' : 'in one process'}`
    : 'in memory';
  process.stderr.write(`relaying ${file ?? "GitHub's example webhooks"} ${where}\n`);

  const overdue = timer(dashboardPort === undefined ? deadlineMs : undefined, ending);
  const books = new Books(routes, knownHandlers);
  const rejected: Rejected[] = [];
  const onRejected = (line: Rejected) => {
    rejected.push(line);
    if (rejected.length <= SHOWN) process.stderr.write(`rejected ${line.source}: ${line.reason}\n`);
  };
  const hideProgress = showProgress(() => books.account.progress);
  const failure = await relay({ ...options, input, books, onRejected, ending }).then(
    () => undefined,
    (error: unknown) => error ?? new Error('failed'),
  );
  hideProgress();
  clearTimeout(overdue);

  const balance = books.account.balance();
  if (balance.published > 0 || failure === undefined) {
    const lines = [tableOf(balance, books.tally), ...accountLines(balance, books.tally, rejected.length)];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (failure !== undefined) throw failure;
  return balance.balanced && (balance.published > 0 || rejected.length === 0) ? 0 : 1;
}

function whileWatched(given: Input | undefined, watched: AbortSignal): Input {
  return given ? heldOpen(given, watched) : unhurried(watched);
}

function timer(deadlineMs: number | undefined, ending: AbortController): NodeJS.Timeout | undefined {
  if (deadlineMs === undefined) return undefined;
  const error = () => new Error(`not finished after ${deadlineMs / 1_000} s`);
  return setTimeout(() => ending.abort(error()), deadlineMs);
}

async function opened(file: string, signal: AbortSignal) {
  try {
    return await linesOf(file, signal);
  } catch (error) {
    throw new Error(`can't read '${file}': ${(error as Error).message}`, { cause: error });
  }
}
