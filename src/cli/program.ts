import { Command, CommanderError, Help } from 'commander';
import { CATALOGUE } from './catalogue.js';
import type { CommandContext, CommandEntry, CommandGroup } from './command.js';
import type { Terminal } from './output/terminal.js';
import { version } from './version.js';

const EXIT_CODES = `
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
    // Its message is out already, as is the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { report } = await import('./output/report.js');
    return report(error, terminal, args.includes('--verbose'));
  }
}

function programFor(context: CommandContext): Command {
  const { stdout, stderr } = context.terminal;
  /** Those that are not loaded yet. */
  const entries = new Map<Command, CommandEntry>();
  const program = new Command('hopline')
    .description('Looks after the messages of Hopline services on RabbitMQ.')
    .option('-V, --version', 'print the version of Hopline')
    .on('option:version', () => {
      // Not by version() of the library, which wants it before anybody has asked.
      stdout.write(`${version()}\n`);
      throw new CommanderError(0, 'commander.version', 'the version was asked for');
    })
    .addHelpText('after', EXIT_CODES)
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

/** How the help of a group shows a command; all of ours have flags. */
function termOf(command: Command, entry: CommandEntry | undefined): string {
  if (!entry) return new Help().subcommandTerm(command);
  return [entry.name, '[options]', ...(entry.takes === undefined ? [] : [entry.takes])].join(' ');
}

/** `help work` as `work --help`: the flag has the command loaded that it is about, `help` has not. */
function helpAsFlag(args: readonly string[]): readonly string[] {
  const at = args[0] === 'help' ? 0 : 1;
  const [help, name] = args.slice(at);
  const group = CATALOGUE.find((each) => each.name === args[0]);
  const known = at === 0 ? CATALOGUE : group && 'commands' in group ? group.commands : [];
  const isLoadable = known.some((each) => each.name === name && 'load' in each);
  return help === 'help' && name !== undefined && isLoadable ? [...args.slice(0, at), name, '--help'] : args;
}
