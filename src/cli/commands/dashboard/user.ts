import { text } from 'node:stream/consumers';
import { keptPassword } from '../../../dashboard/server/auth/password.js';
import type { DefineCommand } from '../../command.js';
import type { Terminal } from '../../output/terminal.js';
import { UsageError } from '../../usage-error.js';

interface Flags {
  readonly look?: boolean;
}

const LEAST = 10;

const ABOUT = `
The password is asked for on the terminal, or read from standard input:
  hopline dashboard user ann >> users.txt`;

/** `hopline dashboard user`: prints a line of the file that `--auth` names. The password is never on a command line, nor shown. */
export const define: DefineCommand = (command, { terminal }) => {
  command
    .argument('<name>', 'name of the user')
    .option('--look', 'the user may look, and not act')
    .addHelpText('after', ABOUT)
    .action(async (name: string, { look }: Flags) => {
      if (!/^[^:\s]{1,100}$/.test(name))
        throw new UsageError(
          'the name has a space or a colon, or more than 100 characters',
          'Choose another',
        );
      const password = terminal.canAsk ? await askedTwice(terminal) : (await text(terminal.stdin)).trim();
      if (password.length < LEAST)
        throw new UsageError(`the password has less than ${LEAST} characters`, 'Choose a longer one');
      terminal.print(`${name}:${await keptPassword(password)}${look ? ':look' : ''}`);
    });
};

async function askedTwice(terminal: Terminal): Promise<string> {
  const first = await terminal.askSecret('Password: ');
  if ((await terminal.askSecret('Once more: ')) === first) return first;
  throw new UsageError('the two passwords are not the same', 'Try again');
}
