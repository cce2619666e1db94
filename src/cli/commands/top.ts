import type { Control } from '../../control/control.js';
import { deferred } from '../../util/deferred.js';
import { atControl, type ControlFlags, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import { printStatus } from '../output/status-tables.js';
import type { Terminal } from '../output/terminal.js';
import { timeText } from '../output/text.js';
import { UsageError } from '../usage-error.js';

interface Flags extends ControlFlags {
  readonly service?: string;
}

/**
 * ENTER opens the terminal's alternate screen, which keeps the previous content, and hides the cursor; HOME
 * moves to the top and clears the rest.
 */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const CLEAR = '\u001b[H\u001b[J';

/** Keys that end the command: a terminal in raw mode makes no signal of Ctrl-C. */
const ENDS = ['q', 'Q', '\u0003'];

/** `hopline top`: the status, refreshed until q or Ctrl-C. */
export const define: DefineCommand = (command, { terminal }) => {
  withControl(command)
    .option('--service <name>', 'only the processes of this service')
    .action(async (flags: Flags) => {
      if (!terminal.stdout.isTTY)
        throw new UsageError('standard output is no terminal', 'Use hopline status instead');
      await atControl(flags, terminal, (control) => watch(control, flags, terminal));
    });
};

async function watch(control: Control, { service }: Flags, terminal: Terminal): Promise<void> {
  const end = untilEnded(terminal);
  terminal.stdout.write(ENTER);
  try {
    // A request lasts as long as answers are waited for, which is the pause between two pictures.
    while (!end.isOver) {
      const status = await Promise.race([
        control.status(service === undefined ? {} : { service }),
        end.promise,
      ]);
      if (!status) break;
      terminal.stdout.write(CLEAR);
      terminal.print(`${timeText(new Date())}  q or Ctrl-C ends\n`);
      printStatus(terminal, status, Date.now());
    }
  } finally {
    terminal.stdout.write(LEAVE);
    end.stop();
  }
}

/** Resolves at q, Ctrl-C or SIGTERM. */
function untilEnded({ stdin }: Terminal) {
  let isOver = false;
  const over = deferred();
  const end = () => {
    isOver = true;
    over.resolve();
  };
  const onKey = (keys: Buffer) => {
    if (ENDS.some((key) => keys.includes(key))) end();
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onKey);
  process.on('SIGINT', end).on('SIGTERM', end);
  return {
    promise: over.promise,
    get isOver() {
      return isOver;
    },
    stop: () => {
      stdin.off('data', onKey).pause();
      if (stdin.isTTY) stdin.setRawMode(false);
      process.off('SIGINT', end).off('SIGTERM', end);
    },
  };
}
