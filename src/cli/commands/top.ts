import type { Control } from '../../control/control.js';
import { deferred } from '../../util/deferred.js';
import { atControl, type ControlFlags, withControl } from '../broker/control.js';
import type { DefineCommand } from '../command.js';
import { notesOf, printStatus } from '../output/status-tables.js';
import type { Terminal } from '../output/terminal.js';
import { timeText } from '../output/text.js';
import { UsageError } from '../usage-error.js';

interface Flags extends ControlFlags {
  readonly service?: string;
}

/** The terminal's other screen, which leaves what was on it alone; and its beginning, with nothing below. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const CLEAR = '\u001b[H\u001b[J';

/** What ends it: a terminal that hands over each key makes no signal of Ctrl-C. */
const ENDS = ['q', 'Q', '\u0003'];

/** `hopline top`: the status, asked for again and again, until q or Ctrl-C. */
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
    // Asking takes as long as answers are waited for, which is the pause between two pictures.
    while (!end.isOver) {
      const status = await Promise.race([
        control.status(service === undefined ? {} : { service }),
        end.promise,
      ]);
      if (!status) break;
      terminal.stdout.write(CLEAR);
      terminal.print(`${timeText(new Date())}  q or Ctrl-C ends\n`);
      printStatus(terminal, status);
      for (const note of notesOf(status)) terminal.print(`\nnote: ${note}`);
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
