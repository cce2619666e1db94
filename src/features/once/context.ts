import { InvalidMessageError, NoMessageIdError, OptionsError } from '../../errors.js';
import { partKey } from '../../message/message-id.js';
import type { OnceOptions } from '../../message/once.js';
import type { Attempt } from '../../pipeline/attempt.js';
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
import { reasonText } from '../../util/text/error-text.js';
import { joined } from '../../util/text/joined.js';
import { jsonText } from '../../util/text/json-text.js';

/** Does one part of a handler's work. */
export type PartFunction = (key: string) => unknown;

const partName: Check = {
  expected: 'a string of 1 to 255 bytes',
  accepts: (value) => text.accepts(value) && Buffer.byteLength(value as string) <= 255,
};
const FIELDS = { keep: durationUpTo('366d') };

/** Record of a part without a result: no JSON is empty. */
const NO_RESULT = '';

/**
 * `context.once`: parts of a handler's work that are done once for its message, however often the message is handled.
 * The result of a part is recorded, and whoever comes to the part again gets it. A record is reserved before the part
 * runs, so that it runs only where it can be recorded. If the process dies between the two, the message's next attempt
 * reserves the record again, and runs the part again: at least once is guaranteed, once is the rule. In a transaction
 * the record is part of it, and rolled back with it.
 */
export class HandlerParts {
  /** Records of this attempt's parts, by name; pending while a part runs. */
  private readonly records = new Map<string, Promise<string>>();

  constructor(
    private readonly service: string,
    private readonly results: OnceStore,
    private readonly context: Attempt,
  ) {}

  async once(name: string, run: PartFunction, options: OnceOptions = {}): Promise<unknown> {
    check(name, run, options);
    // Two calls at the same time run it once; if that fails, both reject.
    const recording = this.records.get(name) ?? this.record(name, run, toMs(options.keep ?? '7d'));
    this.records.set(name, recording);
    try {
      const result = await recording;
      // Each caller has a copy of its own, so that changing it has no effect on the others.
      return result === NO_RESULT ? undefined : JSON.parse(result);
    } catch (error) {
      if (this.records.get(name) === recording) this.records.delete(name);
      throw error;
    }
  }

  private async record(name: string, run: PartFunction, keepMs: number): Promise<string> {
    const key = this.keyOf(name);
    const { handler, kept, work } = this.context;
    // Before the part runs: with a store that can be read and not written, each attempt would run it.
    const before = await this.results.reserve(key, Math.min(keepMs, handler.timeoutMs));
    if (before !== undefined) return before;
    // The message's next attempt, which may have begun, runs the part.
    if (this.context.abortReason) throw this.context.abortReason;
    this.context.mustNotBeOver('once');
    // Another run of it may have begun, which runs the part.
    await work.lease?.mustBeMine('context.once()');
    const part = () => run(partKey(key));
    // What it publishes can't wait for the end of the attempt: the next one does not run it again.
    const result = await (kept ? kept.runPart(part) : part());
    // If the process dies here, the part is run again. Of two attempts that overlap, both go on with the first record.
    return this.results.record(key, recordable(name, result), keepMs);
  }

  private keyOf(name: string): string {
    const { messageId, handler } = this.context;
    if (messageId === undefined) throw new NoMessageIdError(`the part '${name}' can't be done once`);
    return joined(this.service, handler.queue, handler.name, messageId, name);
  }
}

/** @throws OptionsError with all problems at once */
function check(name: string, run: PartFunction, options: OnceOptions): void {
  const problems = problemsOf({ name, run }, '', { name: partName, run: callable });
  if (isPlainObject(options)) problems.push(...problemsOf(options, '', FIELDS));
  else problems.push(`expected its options to be an object, got ${show(options)}`);
  if (problems.length > 0) throw new OptionsError('once', problems);
}

/** The result as JSON. @throws InvalidMessageError: the part has had its effect, and will be run again */
function recordable(name: string, result: unknown): string {
  if (result === undefined) return NO_RESULT;
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
