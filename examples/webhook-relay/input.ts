import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** An event on its way to the intake: one of GitHub's, or the user's own. */
export interface Incoming {
  /** Routing key that it should be published with. */
  readonly key: string;
  readonly path: '/webhooks' | '/events';
  /** For `X-GitHub-Event`. */
  readonly event?: string;
  readonly body: string;
  /** For messages about it: `events.ndjson:3`. */
  readonly source: string;
}

/** A line that is no event. */
export interface Rejected {
  readonly source: string;
  readonly reason: string;
}

export type Input = AsyncIterable<Incoming | Rejected>;

interface Definition {
  readonly name: string;
  readonly examples: readonly { readonly action?: string }[];
}

/** GitHub's own examples of all its webhooks. */
export async function* samples(): Input {
  const require = createRequire(import.meta.url);
  for (const { name, examples } of require('@octokit/webhooks-examples') as Definition[]) {
    for (const [index, payload] of examples.entries()) {
      const { action } = payload;
      yield {
        key: action === undefined ? `github.${name}` : `github.${name}.${action}`,
        path: '/webhooks',
        event: name,
        body: JSON.stringify(payload),
        source: `${name}[${index}]`,
      };
    }
  }
}

/** Between two events for somebody who watches them. */
const UNHURRIED_MS = 100;

/** GitHub's examples again and again, one after the other, until the signal. */
export async function* unhurried(signal: AbortSignal): Input {
  while (!signal.aborted)
    for await (const event of samples()) {
      if (signal.aborted) return;
      yield event;
      await pause(UNHURRIED_MS, undefined, { signal }).catch(() => {});
    }
}

/** The input, which then only ends with the signal. */
export async function* heldOpen(input: Input, signal: AbortSignal): Input {
  yield* input;
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * The user's own events: a line each, `{"key": "...", "payload": ...}`. Empty lines don't count.
 *
 * @param file a path, or `-` for standard input
 * @param signal ends the reading
 * @throws Error if the file can't be opened
 */
export async function linesOf(file: string, signal: AbortSignal): Promise<Input> {
  if (file === '-') return readLines(process.stdin, 'stdin', signal);
  const handle = await open(file);
  const isDirectory = (await handle.stat()).isDirectory();
  await handle.close();
  if (isDirectory) throw new Error('it is a directory');
  return readLines(createReadStream(file), file, signal);
}

async function* readLines(input: Readable, name: string, signal: AbortSignal): Input {
  let number = 0;
  for await (const line of linesIn(addAbortSignal(signal, input))) {
    number += 1;
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
    if (text.trim() !== '') yield eventIn(text, `${name}:${number}`);
  }
}

/** node:readline doesn't pass on the errors of its input. */
async function* linesIn(input: Readable): AsyncIterable<string> {
  let rest = '';
  for await (const chunk of input.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function eventIn(line: string, source: string): Incoming | Rejected {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    return { source, reason: `not JSON: ${(error as Error).message}` };
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    return { source, reason: 'expected an object {"key": "...", "payload": {...}}' };
  const { key, payload } = event as { key?: unknown; payload?: unknown };
  if (typeof key !== 'string' || key === '')
    return { source, reason: '"key" is missing or is no text: expected a routing key' };
  if (payload === undefined) return { source, reason: '"payload" is missing' };
  return { key, path: '/events', body: JSON.stringify({ key, payload }), source };
}
