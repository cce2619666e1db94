import { Command, CommanderError, Help } from 'commander';
import { version } from '../util/version.js';
import { CONNECTION_FLAGS } from './broker/connection-flags.js';
import { CATALOGUE } from './catalogue.js';
import type { CommandContext, CommandEntry, CommandGroup } from './command.js';
import type { Terminal } from './output/terminal.js';

const WIDEST = Math.max(...CONNECTION_FLAGS.map(([flags]) => flags.length));

const AFTER_HELP = `
Connection, of each command that asks the broker:
${CONNECTION_FLAGS.map(([flags, meaning]) => `  ${flags.padEnd(WIDEST)}  ${meaning}`).join('\n')}

Exit codes: 0 done, 1 failed or partly failed, 2 called wrongly (nothing was done), 130 interrupted.
The broker's address comes from AMQP_URL or --url-file, a store's from DATABASE_URL,
REDIS_URL, --database-url-file or --redis-url-file; they are never printed.`;

/** Runs one command line, and returns its exit code. */
export async function runCommand(
  args: readonly string[],
  terminal: Terminal,
  surroundings: Pick<CommandContext, 'early' | 'first'> = {},
): Promise<number> {
  let code = 0;
  const exit = (its: number) => {
    code = its;
  };
  try {
    await programFor({ terminal, exit, ...surroundings }).parseAsync(helpAsFlag(args), { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its message, or the help, already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : code || 2;
    const { report } = await import('./output/report.js');
    return report(error, terminal, args.includes('--verbose'));
  }
}

function programFor(context: CommandContext): Command {
  const { stdout, stderr } = context.terminal;
  /** Commands that are not loaded yet. */
  const entries = new Map<Command, CommandEntry>();
  const program = new Command('hopline')
    .description('Looks after the messages of Hopline services on RabbitMQ.')
    .option('-V, --version', 'print the version of Hopline')
    .on('option:version', () => {
      // The library's version() would need the version at each start, and reading it costs time.
      stdout.write(`${version()}\n`);
      throw new CommanderError(0, 'commander.version', 'the version was asked for');
    })
    .addHelpText('after', AFTER_HELP)
    .showHelpAfterError('(add --help for the usage)')
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => termOf(command, entries.get(command)) })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  const load = async (_group: Command, chosen: Command) => {
    const entry = entries.get(chosen);
    entries.delete(chosen);
    (await entry?.load())?.define(chosen, context);
  };
  const addAll = (parent: Command, all: readonly (CommandEntry | CommandGroup)[]) => {
    parent.hook('preSubcommand', load);
    for (const each of all) {
      const isDefault = 'load' in each && each.isDefault === true;
      const command = parent.command(each.name, { isDefault }).description(each.summary);
      if ('load' in each) entries.set(command, each);
      else addAll(command, each.commands);
    }
  };
  addAll(program, CATALOGUE);
  return program;
}

/** A command's line in the help of its group; all commands have flags. */
function termOf(command: Command, entry: CommandEntry | undefined): string {
  if (!entry) return new Help().subcommandTerm(command);
  return [entry.name, '[options]', ...(entry.takes === undefined ? [] : [entry.takes])].join(' ');
}

/** Turns `help work` into `work --help`: the flag has the command loaded, `help` does not. */
function helpAsFlag(args: readonly string[]): readonly string[] {
  const at = args[0] === 'help' ? 0 : 1;
  const [help, name] = args.slice(at);
  const group = CATALOGUE.find((each) => each.name === args[0]);
  const known = at === 0 ? CATALOGUE : group && 'commands' in group ? group.commands : [];
  const isLoadable = known.some((each) => each.name === name && 'load' in each);
  return help === 'help' && name !== undefined && isLoadable ? [...args.slice(0, at), name, '--help'] : args;
}
