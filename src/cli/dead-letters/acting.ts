import { Presets, SingleBar } from 'cli-progress';
import type { ActResult } from '../../failures/acting/acting.js';
import { lettersText } from '../../failures/letters/letters-text.js';
import type { Progress } from '../../failures/options.js';
import { numberText } from '../../util/text/count-text.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';
import { Stopped } from '../usage-error.js';

/** Maximum number of failed letters that are shown one by one. */
const SHOWN = 20;
const INTERRUPTED = 130;

export interface ActingHooks {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs an action on many dead letters: with a progress bar on a terminal, a clean end on Ctrl-C, and a
 * summary.
 *
 * @param done the letters' new state, for the summary: `replayed`
 * @returns the exit code
 */
export async function runActing(
  terminal: Terminal,
  total: number,
  done: string,
  act: (hooks: ActingHooks) => Promise<ActResult>,
): Promise<number> {
  const ending = new AbortController();
  const interrupt = () => ending.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const bar = terminal.canDraw ? new SingleBar({ stream: terminal.stderr }, Presets.legacy) : undefined;
  let last: Progress | undefined;
  bar?.start(total, 0);
  const onProgress = (progress: Progress) => {
    last = progress;
    bar?.update(progress.done + progress.failed);
  };
  try {
    const result = await act({ onProgress, signal: ending.signal });
    bar?.stop();
    return tellResult(terminal, done, result);
  } catch (error) {
    bar?.stop();
    terminal.tell(`${lettersText(last?.done ?? 0)} ${done} before it failed; the rest is where it was`);
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function tellResult(terminal: Terminal, verb: string, { done, failed, gone, left }: ActResult): number {
  for (const { id, deadQueue, error } of failed.slice(0, SHOWN))
    terminal.tell(oneLine(`failed: ${id} in ${deadQueue}: ${error.message}`));
  if (failed.length > SHOWN) terminal.tell(`… and ${numberText(failed.length - SHOWN)} more`);
  const rest = [
    ...(failed.length > 0 ? [`${numberText(failed.length)} failed and stay where they were`] : []),
    ...(gone > 0 ? [`${numberText(gone)} were not there any more`] : []),
    ...(left > 0 ? [`${numberText(left)} left: it was interrupted`] : []),
  ];
  const line = [`${lettersText(done)} ${verb}`, ...rest].join(', ');
  if (left > 0) throw new Stopped(line, INTERRUPTED);
  terminal.print(line);
  return failed.length > 0 ? 1 : 0;
}
