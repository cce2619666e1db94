import { hostname, userInfo } from 'node:os';
import type { Failures } from '../../failures/failures.js';
import { lettersText } from '../../failures/letters/letters-text.js';
import type { LiveOperations } from '../../failures/operations/live-operations.js';
import type { Operation, OperationRequest } from '../../failures/operations/operation.js';
import { numberText } from '../../util/text/count-text.js';
import type { Terminal } from '../output/terminal.js';
import { oneLine } from '../output/text.js';
import { Stopped } from '../usage-error.js';

/** Between two looks at how far it is. */
const LOOK_MS = 250;
/** A line at least so often, if anything has changed. */
const LINE_MS = 5_000;
const INTERRUPTED = 130;

/** For a command, which works on nothing but what it begins. */
export const operationsOf = (
  failures: Failures,
  index = failures.index({ listens: false }),
): LiveOperations => failures.operations(index, { takesOn: false });

/** Who sits at the terminal: operators on several machines may have the same name. */
export function whoAmI(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // The account of a container need not have a name.
    return `uid ${process.getuid?.() ?? '?'}@${hostname()}`;
  }
}

/**
 * Runs an operation to its end: lines on how far it is, and a clean end on Ctrl-C.
 *
 * @returns the exit code: 1 if it has stopped by itself, or some letters could not be replayed
 */
export async function runOperation(
  terminal: Terminal,
  operations: LiveOperations,
  request: OperationRequest,
): Promise<number> {
  const by = whoAmI();
  const begun = await operations.begin(request, by);
  terminal.tell(
    `${begun.kind} ${begun.id}: ${lettersText(begun.total)}; stop it by Ctrl-C, or hopline failed stop ${begun.id}`,
  );
  const interruption = { is: false };
  const interrupt = () => {
    interruption.is = true;
    operations.stop(begun.id, by).catch((error) => terminal.tell(oneLine(`${(error as Error).message}`)));
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const telling = tellOn(terminal, operations, begun.id);
  try {
    const ended = await operations.ended(begun.id);
    clearInterval(telling);
    return tellEnd(terminal, ended, interruption.is);
  } finally {
    clearInterval(telling);
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

/** Prints a line for each stage, and now and then within one. */
function tellOn(terminal: Terminal, operations: LiveOperations, id: string): NodeJS.Timeout {
  let stage: string | undefined;
  let line = '';
  let toldAt = performance.now();
  return setInterval(() => {
    const now = operations.running(id);
    if (!now) return;
    const isNew = now.canary?.stage !== stage;
    if (!isNew && performance.now() - toldAt < LINE_MS) return;
    const next = howFar(now);
    if (next !== line) terminal.tell(next);
    stage = now.canary?.stage;
    line = next;
    toldAt = performance.now();
  }, LOOK_MS);
}

/** `ten: 4 of 40,000 replayed, 3 handled, 0 came back`. */
export function howFar({ total, done, failed, canary }: Operation): string {
  const parts = [`${numberText(done)} of ${numberText(total)} replayed`];
  if (failed > 0) parts.push(`${numberText(failed)} could not be`);
  if (!canary) return parts.join(', ');
  const { stage, handled, cameBack, failedOtherwise, unheard } = canary;
  parts.push(`${numberText(handled)} handled`, `${numberText(cameBack)} came back`);
  if (failedOtherwise > 0) parts.push(`${numberText(failedOtherwise)} failed in another way`);
  if (unheard > 0) parts.push(`${numberText(unheard)} not heard of`);
  return `${stage}: ${parts.join(', ')}`;
}

function tellEnd(terminal: Terminal, ended: Operation, isInterrupted: boolean): number {
  const { state, why, failed } = ended;
  const line = howFar(ended);
  if (isInterrupted) throw new Stopped(`${line}, the rest is where it was: it was interrupted`, INTERRUPTED);
  terminal.print(line);
  if (why !== undefined) terminal.tell(oneLine(`${state}: ${why}`));
  return state === 'done' && failed === 0 ? 0 : 1;
}
