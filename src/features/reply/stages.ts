import { MessageTooLargeError, RequestRedeliveredError } from '../../errors.js';
import type { Attempt } from '../../pipeline/attempt.js';
import type { Answers } from '../../pipeline/handler.js';
import type { AroundStage, GuardStage } from '../../pipeline/stage.js';
import type { Content } from '../../pipeline/work.js';
import type { Serializer } from '../../serialization/serializer.js';
import { validate } from '../../serialization/validate.js';
import { after } from '../../util/after.js';

export interface ReplyBodyOptions {
  readonly serializer: Serializer;
  readonly maxBodyBytes: number;
}

/** Keeps a request that may have been handled from being handled again. */
export const redeliveredGuard: GuardStage = (next) => (context) => {
  const { work, handler } = context;
  if (!work.received.redelivered) return next(context);
  return { kind: 'discard', error: new RequestRedeliveredError(handler.name) };
};

/**
 * Around the handler's code, and around each middleware: keeps what it returns, which takes the place of what the code within it has
 * returned. One that returns nothing takes nothing away: many a middleware only waits for `next()`.
 */
export const keepReturned: AroundStage = (next) => (payload, context) =>
  after(next(payload, context), (value) => {
    if (value !== undefined) (context as Attempt).work.returned = value;
    return value;
  });

/**
 * Outermost: makes the reply of what was returned, within the attempt. A reply that does not fit its definition, or can't be written,
 * is the handler's failure.
 */
export function makeReply({ request }: Answers, options: ReplyBodyOptions): AroundStage {
  return (next) => (payload, context) => {
    const { work } = context as Attempt;
    return after(next(payload, context), () =>
      after(validate(request.reply, work.returned), () => {
        work.reply = replyBody(work.returned, request.key, options);
      }),
    );
  };
}

/** @throws InvalidMessageError, MessageTooLargeError */
function replyBody(
  reply: unknown,
  key: string,
  { serializer, maxBodyBytes }: ReplyBodyOptions,
): Pick<Content, 'body' | 'contentType'> {
  // JSON has no undefined.
  const body = serializer.serialize(reply === undefined ? null : reply);
  if (body.length > maxBodyBytes)
    throw new MessageTooLargeError(
      `the reply to '${key}' is ${body.length} bytes, the cap is ${maxBodyBytes}`,
      'Store the data elsewhere and reply with a reference, or raise maxBodyBytes on both sides.',
    );
  return { body, contentType: serializer.contentType };
}
