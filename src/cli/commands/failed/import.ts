import { createReadStream } from 'node:fs';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { numberText } from '../../../util/text/count-text.js';
import { linesOf } from '../../../util/text/json-lines.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { confirm } from '../../dead-letters/confirm.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { oneLine } from '../../output/text.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags {
  readonly yes?: boolean;
}

const SHOWN = 20;

/** `hopline failed import`: puts exported dead letters back into their dead-letter queues. */
export const define: DefineCommand = (command, { terminal, exit }) => {
  command.argument('<file>', 'what export has written; - is standard input');
  withTarget(command)
    .option('--yes', 'do it without asking')
    .action(async (file: string, flags: Flags) => {
      const count = file === '-' ? 'the dead letters of standard input' : lettersText(await countLines(file));
      await withDeadLetters(flags, terminal, async ({ failures, target }) => {
        const what = `${count} will be put into their dead-letter queues, on ${target.broker.name}; what lies there already is doubled`;
        await confirm(what, terminal, flags.yes);
        const input = file === '-' ? terminal.stdin : createReadStream(file);
        const { done, failed } = await failures.import(linesOf(input));
        for (const { line, error } of failed.slice(0, SHOWN))
          terminal.tell(oneLine(`line ${line}: ${error.message}`));
        if (failed.length > SHOWN) terminal.tell(`… and ${numberText(failed.length - SHOWN)} more`);
        const rest = failed.length > 0 ? `, ${numberText(failed.length)} lines failed` : '';
        terminal.print(`${lettersText(done)} imported${rest}`);
        exit(failed.length > 0 ? 1 : 0);
      });
    });
};

async function countLines(file: string): Promise<number> {
  let count = 0;
  try {
    for await (const line of linesOf(createReadStream(file))) if (line.trim() !== '') count += 1;
  } catch (error) {
    throw new UsageError(
      `can't read '${file}': ${(error as Error).message}`,
      'Give a file that export has written',
    );
  }
  return count;
}
