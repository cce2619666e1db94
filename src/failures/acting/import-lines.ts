import type { Session } from '../../transport/transport.js';
import { deadLetterOf, decodeLine } from '../letters/export-line.js';
import type { FailuresSettings } from '../options.js';

/** Result of an import. */
export interface ImportResult {
  readonly done: number;
  readonly failed: readonly FailedLine[];
}

export interface FailedLine {
  /** Number of the line, starting at 1. */
  readonly line: number;
  readonly error: Error;
}

const AT_ONCE = 200;

/** Publishes the dead letter of each line to the queue that it came from. Empty lines are skipped. */
export async function importLines(
  session: Session,
  { publishDeadlineMs }: FailuresSettings,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<ImportResult> {
  const failed: FailedLine[] = [];
  const underWay = new Set<Promise<void>>();
  let done = 0;
  let number = 0;
  const one = async (text: string, line: number) => {
    try {
      await session.publish(deadLetterOf(decodeLine(text), publishDeadlineMs));
      done += 1;
    } catch (error) {
      failed.push({ line, error: error as Error });
    }
  };
  for await (const text of lines) {
    number += 1;
    if (text.trim() === '') continue;
    while (underWay.size >= AT_ONCE) await Promise.race(underWay);
    const publishing = one(text, number).finally(() => underWay.delete(publishing));
    underWay.add(publishing);
  }
  await Promise.all(underWay);
  return { done, failed: failed.sort((left, right) => left.line - right.line) };
}
