import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Delivery, Session } from '../../transport/transport.js';
import type { DeadLetterSummary } from '../letters/dead-letter.js';
import { deadLetterOf, decodeLine, encodeLine } from '../letters/export-line.js';
import { readLetter } from '../letters/read-letter.js';
import type { FailuresSettings } from '../options.js';
import { walk } from '../reading/walk.js';

/** Lines that may wait for the reader; beyond that the broker waits. */
const LINES_AHEAD = 64;

/** Lines of exactly the dead letters that were listed, as fast as they are read. */
export async function* exportLines(
  session: Session,
  { names, transport }: FailuresSettings,
  wanted: readonly DeadLetterSummary[],
): AsyncGenerator<string, void, void> {
  for (const queue of new Set(wanted.map(({ deadQueue }) => deadQueue))) {
    const ids = new Set(wanted.filter(({ deadQueue }) => deadQueue === queue).map(({ id }) => id));
    const lines = new PassThrough({ objectMode: true, highWaterMark: LINES_AHEAD });
    const ending = new AbortController();
    const { signal } = ending;
    const walking = walk(session, transport.clock, {
      queue,
      signal,
      pick: (delivery: Delivery) => {
        const letter = readLetter(delivery, names);
        return ids.has(letter.id) ? letter : undefined;
      },
      act: async (letter) => {
        if (!lines.write(encodeLine(letter))) await once(lines, 'drain', { signal }).catch(() => {});
      },
    }).then(
      () => void lines.end(),
      (error: Error) => void lines.destroy(error),
    );
    try {
      for await (const line of lines) yield line as string;
    } finally {
      ending.abort();
      await walking;
    }
  }
}

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
