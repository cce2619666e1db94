import type { Command } from 'commander';
import type { ControlAnswer } from '../../../control/answer.js';
import type { LimitTarget } from '../../../control/limits.js';
import { type ControlFlags, printAnswers, withControl } from '../../broker/control.js';
import type { Terminal } from '../../output/terminal.js';
import { UsageError } from '../../usage-error.js';

export interface LimitFlags extends ControlFlags {
  readonly queue?: string;
  readonly bucket?: string;
}

/** A command about the limits of one handler, or of one bucket. */
export function withLimitTarget(command: Command): Command {
  return withControl(command)
    .argument('[handler]', 'its name, as hopline status shows it')
    .option('--queue <name>', 'its queue, if several have a handler of this name, or if none of it runs now')
    .option('--bucket <name>', 'in place of a handler: the bucket that handlers take their permits from');
}

/** @throws UsageError */
export function targetOf(handler: string | undefined, { queue, bucket }: LimitFlags): LimitTarget {
  if (handler !== undefined && bucket === undefined) return { handler, queue };
  if (bucket !== undefined && handler === undefined && queue === undefined) return { bucket };
  throw new UsageError(
    handler === undefined && bucket === undefined
      ? 'no handler is named'
      : 'a bucket is named beside a handler or its queue',
    'Name a handler, or a bucket with --bucket',
  );
}

/** Prints what the processes answer, and returns the exit code. */
export function printLimited(processes: readonly ControlAnswer[], done: string, terminal: Terminal): number {
  if (processes.length === 0)
    terminal.tell('note: no process has answered that has such a handler; those that start later have it');
  return printAnswers(processes, done, terminal);
}
