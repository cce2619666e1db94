import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Delivery, Session } from '../../transport/transport.js';
import type { DeadLetterFilter } from '../filter.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { encodeLine } from '../letters/export-line.js';
import { readLetter } from '../letters/read-letter.js';
import type { FailuresSettings } from '../options.js';
import { countsOf } from '../reading/counts.js';
import type { LetterReading } from '../reading/letter-reading.js';
import { missing } from '../reading/missing-queue.js';
import { areReturned } from '../reading/returned-letters.js';
import { Shown } from '../reading/shown.js';
import { walk } from '../reading/walk.js';
import { WalkInterrupted } from '../reading/walk-interrupted.js';

/** Lines that may wait for the reader; beyond that the broker waits. */
const LINES_AHEAD = 64;
/** Passes through a queue, if channels are lost. */
const MOST_PASSES = 3;

/** Letters to export. */
export interface ExportChoice {
  readonly queues: readonly string[];
  /** Most letters. */
  readonly limit: number;
  matches(letter: DeadLetter): boolean;
}

/**
 * What a filter chooses. With ids all queues are read: an id may be the beginning of several.
 *
 * @throws DeadLetterIdError
 */
export async function exportChoice(
  reading: Pick<LetterReading, 'list' | 'matcher'>,
  queues: readonly string[],
  filter: DeadLetterFilter,
): Promise<ExportChoice> {
  const { ids, limit = Number.POSITIVE_INFINITY } = filter;
  if (!ids) return { queues, limit, matches: reading.matcher(filter) };
  const keyOf = ({ deadQueue, id }: DeadLetter) => `${deadQueue}\n${id}`;
  const wanted = new Set(await reading.list(queues, filter, keyOf));
  return { queues, limit: Number.POSITIVE_INFINITY, matches: (letter) => wanted.has(keyOf(letter)) };
}

/**
 * Lines of the dead letters that are chosen, as fast as they are read.
 *
 * @throws TopologyError, before the first line, if a queue is missing; UnreadableLettersError, ConnectError
 */
export async function* exportLines(
  session: Session,
  settings: FailuresSettings,
  { queues, limit, matches }: ExportChoice,
): AsyncGenerator<string, void, void> {
  let left = limit;
  const counts = new Map<string, number>();
  for (const { deadQueue, count } of await countsOf(session, queues)) {
    if (count === undefined) throw missing(deadQueue);
    counts.set(deadQueue, count);
  }
  for (const [queue, ready] of counts) {
    if (left <= 0) return;
    const shown = new Shown();
    for (let pass = 1; ; pass += 1) {
      const its = { queue, limit: left, matches, shown };
      const error = yield* linesOf(session, settings, its);
      if (!error) break;
      if (!(error instanceof WalkInterrupted) || pass === MOST_PASSES) throw error;
      const { clock } = settings.transport;
      await areReturned(session, clock, { queue, ready, error });
      // Tells apart those that can't be read, if there are any: the next pass goes around them.
      await walk(session, clock, { queue, pick: () => undefined });
      shown.again();
    }
    left -= shown.count;
  }
}

interface Pass extends Omit<ExportChoice, 'queues'> {
  readonly queue: string;
  readonly shown: Shown;
}

/** @returns the error with which the pass ended, when what came before it is taken */
async function* linesOf(
  session: Session,
  { names, transport }: FailuresSettings,
  { queue, limit, matches, shown }: Pass,
): AsyncGenerator<string, Error | undefined, void> {
  const lines = new PassThrough({ objectMode: true, highWaterMark: LINES_AHEAD });
  const ending = new AbortController();
  const { signal } = ending;
  let error: Error | undefined;
  let picked = shown.count;
  const walking = walk(session, transport.clock, {
    queue,
    signal,
    pick: (delivery: Delivery) => {
      if (picked >= limit) return undefined;
      const letter = readLetter(delivery, names);
      if (!matches(letter) || shown.was(letter.id)) return undefined;
      picked += 1;
      return letter;
    },
    act: async (letter) => {
      shown.add(letter.id);
      if (!lines.write(encodeLine(letter))) await once(lines, 'drain', { signal }).catch(() => {});
    },
  })
    .catch((reason: Error) => {
      error = reason;
    })
    .finally(() => lines.end());
  try {
    for await (const line of lines) yield line as string;
  } finally {
    ending.abort();
    await walking;
  }
  return error;
}
