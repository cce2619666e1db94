import type { Command } from 'commander';
import type { ControlAnswer, ProcessIdentity } from '../../control/answer.js';
import { type Control, openControl } from '../../control/control.js';
import type { ControlResult } from '../../control/results.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { silentLogger } from '../../util/logger.js';
import { appOfPackage, describeApplication } from '../application.js';
import { durationMs } from '../flag-values.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';
import { type BrokerFlags, brokerOf, withBroker } from './broker.js';
import { sharedPrefix } from './target.js';

/** Flags that select the application whose workers are meant. */
export interface ControlFlags extends BrokerFlags {
  readonly app?: string;
  readonly prefix?: string;
  readonly wait: string;
}

export function withControl(command: Command): Command {
  return withBroker(command)
    .option(
      '--app <file>',
      'module that exports the bus (or hopline.app in package.json), for its prefix; it is not started',
    )
    .option('--prefix <name>', "the application's prefix, if it has one")
    .option('--wait <duration>', 'time to wait for answers', '1s');
}

/** Connects for as long as `use` runs. */
export async function atControl<T>(
  flags: ControlFlags,
  { env }: Terminal,
  use: (control: Control) => Promise<T>,
): Promise<T> {
  const wait = durationMs('--wait', flags.wait);
  const broker = brokerOf(flags, env);
  const prefix = flags.prefix ?? (await prefixOf(flags, broker.url));
  const control = await openControl({
    transport: rabbitmq(broker.options),
    ...(prefix === undefined ? {} : { prefix }),
    wait,
    connectDeadline: '5s',
    log: silentLogger,
  });
  try {
    return await use(control);
  } finally {
    await control.close().catch(() => {});
  }
}

async function prefixOf({ app }: ControlFlags, url: string): Promise<string | undefined> {
  const path = app ?? appOfPackage(process.cwd());
  if (path === undefined) return undefined;
  return sharedPrefix(await describeApplication(path, url, 'or give its prefix with --prefix'));
}

/** `mailer on web-1, process 4711`. */
export const whoText = ({ service, host, pid }: ProcessIdentity): string =>
  oneLine(`${service} on ${host}, process ${pid}`);

/** Prints which processes have complied and which have not, and returns the exit code. */
export function printResult(
  { processes, consumers }: ControlResult,
  done: string,
  terminal: Terminal,
): number {
  if (processes.length === 0 && consumers > 0)
    terminal.tell(
      'note: it has consumers, and none answered in time: who is busy hears it when its event loop is free',
    );
  return printAnswers(processes, done, terminal);
}

/** Prints one line per process, and returns the exit code: 1 if one of them has failed. */
export function printAnswers(answers: readonly ControlAnswer[], done: string, terminal: Terminal): number {
  for (const answer of answers) {
    if (answer.problem === undefined) terminal.print(`${whoText(answer)}: ${done}`);
    else terminal.tell(`${whoText(answer)}: ${oneLine(answer.problem)}`);
  }
  return answers.some(({ problem }) => problem !== undefined) ? 1 : 0;
}
