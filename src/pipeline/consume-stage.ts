import { InvalidMessageError, MiddlewareError } from '../errors.js';
import { MessageView } from '../message/received-message.js';
import { isPlainObject, show } from '../util/check.js';
import type { Logger } from '../util/logger.js';
import type {
  ConsumedChange,
  ConsumedMessage,
  ConsumeMiddleware,
  ConsumeNext,
  ConsumeResult,
} from './consume-middleware.js';
import { DISCARD, type Outcome } from './outcome.js';
import type { Stage } from './stage.js';
import { type Content, contentOf, type Work } from './work.js';

/**
 * One attempt and its settling: resolves with its outcome, or with undefined if the channel is lost and the broker delivers the
 * message again. Never rejects.
 *
 * @param content in place of the delivery's; undefined for what was received
 */
export type Consuming = (work: Work, content: Content | undefined) => Promise<Outcome | undefined>;

/** Ways in which the stages of consume middleware end attempts. */
export interface ConsumeParts {
  readonly log: Logger;
  /** Ends an attempt with the outcome that its middleware has led to. */
  end(work: Work, outcome: Outcome): Promise<Outcome | undefined>;
  /** Ends an attempt whose middleware has thrown before `next`. */
  fail(work: Work, error: unknown): Promise<Outcome | undefined>;
}

/** Stage of one consume middleware: whatever that does, the attempt ends once. */
export function consumeStage(middleware: ConsumeMiddleware, parts: ConsumeParts): Stage<Consuming> {
  return (next) => async (work, content) => {
    let ending: Promise<Outcome | undefined> | undefined;
    const go: ConsumeNext = async (changed) => {
      if (ending) throw new MiddlewareError('consume');
      ending = next(work, changed ? replaced(work, content, changed) : content);
      return resultOf(await ending);
    };
    try {
      await middleware.consume(new Consumed(work, content), go);
      ending ??= parts.end(work, DISCARD);
    } catch (error) {
      if (ending) logError(parts.log, work, error);
      ending ??= parts.fail(work, error);
    }
    return ending;
  };
}

/** A delivery as consume middleware sees it. */
class Consumed extends MessageView implements ConsumedMessage {
  readonly body: Buffer;
  readonly attempt: number;

  constructor(
    private readonly work: Work,
    content: Content | undefined,
  ) {
    const { body, contentType, contentEncoding, headers } = content ?? contentOf(work);
    super(work.received, contentType, contentEncoding, headers);
    this.body = body;
    // The work's own counter moves on.
    this.attempt = work.attempt;
  }

  get handler(): string | undefined {
    return this.work.match?.handler.name;
  }

  get redelivered(): boolean {
    return this.work.received.redelivered;
  }
}

/** @throws InvalidMessageError */
function replaced(work: Work, content: Content | undefined, changed: ConsumedChange): Content {
  const before = content ?? contentOf(work);
  const { body = before.body, contentType, contentEncoding, headers } = changed;
  if (!(body instanceof Uint8Array)) throw invalid('body', 'a Buffer', body);
  for (const [name, text] of Object.entries({ contentType, contentEncoding }))
    if (text !== undefined && typeof text !== 'string') throw invalid(name, 'a string', text);
  if (headers !== undefined && !isPlainObject(headers)) throw invalid('headers', 'an object', headers);
  return {
    body: Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    contentType: contentType === undefined ? before.contentType : contentType || undefined,
    contentEncoding: contentEncoding === undefined ? before.contentEncoding : contentEncoding || undefined,
    ...((headers ?? before.headers) && { headers: { ...before.headers, ...headers } }),
  };
}

const invalid = (field: string, expected: string, found: unknown): InvalidMessageError =>
  new InvalidMessageError(
    `expected the ${field} that a consume middleware gives to next() to be ${expected}, got ${show(found)}`,
    'Give next() only what is to replace what was received: { body, contentType, contentEncoding, headers }.',
  );

/** The end of a delivery as middleware sees it. @param outcome undefined if the channel is lost */
export function resultOf(outcome: Outcome | undefined): ConsumeResult {
  switch (outcome?.kind) {
    case undefined:
      return { outcome: 'returned', reason: 'channel-lost' };
    case 'done':
      return { outcome: 'succeeded' };
    case 'skip':
      return { outcome: 'skipped', reason: outcome.because };
    case 'discard':
      return { outcome: 'discarded', ...errorOf(outcome) };
    case 'retry':
      return { outcome: 'retried', delayMs: outcome.delayMs, error: outcome.error };
    case 'release':
      return { outcome: 'released', delayMs: outcome.delayMs, ...errorOf(outcome) };
    case 'dead-letter':
      return { outcome: 'deadLettered', reason: outcome.reason, error: outcome.error };
    case 'return':
      return { outcome: 'returned' };
  }
}

/** True for an end that is the failure of an attempt. */
export const isFailure = ({ outcome }: ConsumeResult): boolean =>
  outcome === 'retried' || outcome === 'deadLettered';

const errorOf = ({ error }: { readonly error?: unknown }): { error?: unknown } =>
  error === undefined ? {} : { error };

function logError(log: Logger, { received, match }: Work, error: unknown): void {
  const { delivery, messageId } = received;
  log.error(
    { queue: delivery.queue, handler: match?.handler.name, messageId, error },
    'a consume middleware threw after next(): how its message ended stands',
  );
}
