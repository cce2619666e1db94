import type { HandlerContext } from '../../consume/attempt/context.js';
import { InvalidMessageError, NoMessageIdError, OptionsError } from '../../errors.js';
import { partKey } from '../../message/message-id.js';
import type { OnceOptions } from '../../message/once.js';
import type { OnceStore } from '../../stores/once.js';
import {
  type Check,
  callable,
  durationUpTo,
  isPlainObject,
  problemsOf,
  show,
  text,
} from '../../util/check.js';
import { toMs } from '../../util/duration.js';
import { reasonText } from '../../util/error-text.js';
import { joined } from '../../util/joined.js';
import { jsonText } from '../../util/json-text.js';

/** Does one part of a handler's work. */
export type PartFunction = (key: string) => unknown;

const partName: Check = {
  expected: 'a string of 1 to 255 bytes',
  accepts: (value) => text.accepts(value) && Buffer.byteLength(value as string) <= 255,
};
const FIELDS = { keep: durationUpTo('366d') };

/** Of a part that gave nothing: no JSON is empty. */
const NOTHING = '';

/**
 * The parts of one attempt's work that are done once for its message, however often that is handled: what a part gave is
 * recorded, and whoever comes to the part again gets it. The record's place is taken before the part runs, so that it runs only
 * where it can be recorded. A process that dies between the two leaves a place that the message's next attempt takes again, and
 * does the part again: once is what is aimed at, at least once is what holds. In a transaction the record is part of that, and
 * gone with it.
 */
export class Parts {
  /** What they gave, or will. */
  private readonly known = new Map<string, Promise<string>>();

  constructor(
    private readonly service: string,
    private readonly results: OnceStore,
    private readonly context: HandlerContext,
  ) {}

  async once(name: string, run: PartFunction, options: OnceOptions = {}): Promise<unknown> {
    check(name, run, options);
    // Asked for twice at the same time, it is done once; if that fails, each is told.
    const doing = this.known.get(name) ?? this.do(name, run, toMs(options.keep ?? '7d'));
    this.known.set(name, doing);
    try {
      const result = await doing;
      // Each has its own: what one does to it is nothing to the others.
      return result === NOTHING ? undefined : JSON.parse(result);
    } catch (error) {
      if (this.known.get(name) === doing) this.known.delete(name);
      throw error;
    }
  }

  private async do(name: string, run: PartFunction, keepMs: number): Promise<string> {
    const key = this.keyOf(name);
    const { handler } = this.context;
    // Before the part runs: a store that can be read and not written would have it run with each attempt.
    const before = await this.results.reserve(key, Math.min(keepMs, handler.timeoutMs));
    if (before !== undefined) return before;
    // The message's next attempt, which may have begun, does it.
    if (this.context.abortReason) throw this.context.abortReason;
    this.context.mustNotBeOver('once');
    const result = await run(partKey(key));
    // Dying here does it again. Of two attempts that overlap, both go on with what the first of them recorded.
    return this.results.record(key, recordable(name, result), keepMs);
  }

  private keyOf(name: string): string {
    const { messageId, handler } = this.context;
    if (messageId === undefined) throw new NoMessageIdError(`the part '${name}' can't be done once`);
    return joined(this.service, handler.queue, handler.name, messageId, name);
  }
}

function check(name: string, run: PartFunction, options: OnceOptions): void {
  const problems = problemsOf({ name, run }, '', { name: partName, run: callable });
  if (isPlainObject(options)) problems.push(...problemsOf(options, '', FIELDS));
  else problems.push(`expected its options to be an object, got ${show(options)}`);
  if (problems.length > 0) throw new OptionsError('once', problems);
}

/** Its effect has happened by now, and only a plain result would keep it from happening again. */
function recordable(name: string, result: unknown): string {
  if (result === undefined) return NOTHING;
  try {
    return jsonText(result);
  } catch (error) {
    throw new InvalidMessageError(
      `the part '${name}' is done, but its result can't be recorded as JSON: ${reasonText(error)}`,
      'Return plain data from it, or nothing. Until then each attempt does it again, with the same key.',
      { cause: error },
    );
  }
}
