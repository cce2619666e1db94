import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { numberText } from '../../../util/text/count-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { type FilterFlags, filterOf, withFilters } from '../../dead-letters/filters.js';

interface Flags extends TargetFlags, FilterFlags {
  readonly out?: string;
}

/** `hopline failed export`: writes a line of JSON per dead letter; the dead letters stay where they are. */
export const define: DefineCommand = (command, { terminal }) => {
  withFilters(withTarget(command))
    .option('--out <file>', 'a new file; else standard output')
    .action(async (flags: Flags) => {
      const filter = filterOf(flags);
      let count = 0;
      let encrypted = 0;
      await withDeadLetters(flags, terminal, async ({ failures }) => {
        async function* lines() {
          for await (const line of failures.export(filter)) {
            count += 1;
            if ((JSON.parse(line) as { encryptedWith?: string }).encryptedWith !== undefined) encrypted += 1;
            yield `${line}\n`;
          }
        }
        if (flags.out === undefined) {
          for await (const line of lines()) await terminal.write(line);
          return;
        }
        // The file must be new: overwriting an export would lose messages, and no broker would notice. Only
        // its owner may read it. It is opened before the queues are read: letters that are read are held, and
        // a command that ends meanwhile gives them back a little later.
        const file = await open(flags.out, 'wx', 0o600);
        await pipeline(Readable.from(lines()), file.createWriteStream());
      });
      const which = encrypted > 0 ? `; ${numberText(encrypted)} of them encrypted, and exported so` : '';
      terminal.tell(`${lettersText(count)} exported${which}`);
    });
};
