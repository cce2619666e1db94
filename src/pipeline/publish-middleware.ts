import { InvalidMessageError, MiddlewareError } from '../errors.js';
import type { MessageDefinition } from '../message/define-message.js';
import type { Headers } from '../message/properties.js';
import type { LeavingIntent } from '../message/publish-options.js';
import type { Published } from '../message/published.js';
import { anything, callable, type Fields, isPlainObject, problemsOf, show, text } from '../util/check.js';
import type { BodyEncoding } from './publish-call.js';

/** A payload that is being published, as publish middleware sees it: what the call asked for, and what middleware before has changed. */
export interface PublishRequest {
  /** Method of the call; `send`, too, for the steps of a chain and the jobs of a batch; `request`, too, for `requestMany`. */
  readonly intent: LeavingIntent;
  readonly routingKey: string;
  /** Definition that the call named; undefined for a plain key. */
  readonly definition: MessageDefinition | undefined;
  /** Payload as the call gave it: not validated yet. */
  readonly payload: unknown;
  /** Headers of the call; in a handler with the trace headers of its message. */
  readonly headers: Readonly<Headers>;
  /** Id that the call gave; undefined if the message gets a new one, which the result names. */
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
}

/** What publish middleware changes of a message. */
export interface PublishedChange {
  /** Payload instead of the call's; validated like any. @default the call's */
  payload?: unknown;
  /** Headers in addition to the call's, and instead of those with the same names. @default none */
  headers?: Headers;
  /**
   * Function that changes the serialized body, before it is encrypted. A payload with one is not packed with others. With
   * several middlewares the innermost runs first. It is told the content type of the body that it gets. @default none
   */
  encode?: (body: Buffer, contentType: string) => Buffer | Promise<Buffer>;
  /** Name of what `encode` does, such as `gzip`: the property `contentEncoding`, by which consumers undo it. @default none */
  contentEncoding?: string;
  /** Content type of what `encode` gives. @default that of what it got: the serializer's */
  contentType?: string;
}

/**
 * Runs the rest: the next middleware, and finally the publish. Resolves when the broker has confirmed the message, or when it is added to
 * the outbox; a request's, when its reply has come. Rejects with the errors of `publish()`, `send()` and `request()`.
 *
 * @throws MiddlewareError if it was called before, or after the middleware has ended
 * @throws InvalidMessageError if the change is wrong; then the call does not count
 */
export type PublishNext = (change?: PublishedChange) => Promise<Published>;

/** Middleware around publishes. */
export interface PublishMiddleware {
  publish(message: PublishRequest, next: PublishNext): Promise<Published>;
}

/** Those of a list that wrap publishes. */
export const publishMiddlewareOf = (
  middleware: readonly { publish?: PublishMiddleware['publish'] }[],
): readonly PublishMiddleware[] =>
  middleware.filter((each): each is PublishMiddleware => each.publish !== undefined);

/** Publishes a message with what middleware has changed. */
export type Leaving = (message: PublishRequest, encoding: BodyEncoding | undefined) => Promise<Published>;

/** Takes a payload through the publish middleware of a bus, and of a handler. */
export type PublishWrap = (message: PublishRequest, publish: Leaving) => Promise<Published>;

const CHANGE_FIELDS: Fields = {
  payload: anything,
  headers: { expected: 'an object', accepts: isPlainObject },
  encode: callable,
  contentEncoding: text,
  contentType: text,
};

/** @param middleware the first is the outermost */
export function wrapping(middleware: readonly PublishMiddleware[]): PublishWrap {
  const pass = async (
    index: number,
    message: PublishRequest,
    encoding: BodyEncoding | undefined,
    publish: Leaving,
  ): Promise<Published> => {
    const wrap = middleware[index];
    if (!wrap) return publish(message, encoding);
    let mayGoOn = true;
    const next: PublishNext = async (change) => {
      if (change !== undefined) checkChange(change);
      if (!mayGoOn) throw new MiddlewareError('publish');
      mayGoOn = false;
      if (change === undefined) return pass(index + 1, message, encoding, publish);
      return pass(index + 1, changed(message, change), encodedAfter(change, encoding), publish);
    };
    try {
      const published: unknown = await wrap.publish(message, next);
      if (isPlainObject(published)) return published as unknown as Published;
      throw wrongMiddleware(`expected it to return what next() resolves with, got ${show(published)}`);
    } finally {
      mayGoOn = false;
    }
  };
  return (message, publish) => pass(0, message, undefined, publish);
}

function checkChange(change: PublishedChange): void {
  const problems = isPlainObject(change)
    ? problemsOf(change, '', CHANGE_FIELDS)
    : [`expected an object or nothing for next(), got ${show(change)}`];
  if (problems.length > 0) throw wrongMiddleware(problems.join('; '));
}

const wrongMiddleware = (
  problem: string,
  help = 'Return next(change): it takes payload, headers, encode, contentEncoding and contentType, and resolves with the result.',
) => new InvalidMessageError(`a publish middleware is wrong: ${problem}`, help);

function changed(message: PublishRequest, change: PublishedChange): PublishRequest {
  const { payload } = 'payload' in change ? change : message;
  return { ...message, payload, headers: { ...message.headers, ...change.headers } };
}

/** The outermost middleware's change comes last, since it is undone first. */
function encodedAfter(
  { encode, contentEncoding, contentType }: PublishedChange,
  outer: BodyEncoding | undefined,
): BodyEncoding | undefined {
  if (encode === undefined && contentEncoding === undefined && contentType === undefined) return outer;
  if (!outer) return { encode, contentEncoding, contentType };
  if (contentEncoding !== undefined && outer.contentType !== undefined)
    throw wrongMiddleware(
      `one that says '${contentEncoding}' for the content encoding stands within one that makes '${outer.contentType}' of the body`,
      'Put the one with the content encoding before the other in the list: it is undone first.',
    );
  const both = async (body: Buffer, before: string) => {
    const encoded = encode ? await encode(body, before) : body;
    return outer.encode ? outer.encode(encoded, contentType ?? before) : encoded;
  };
  const names = [contentEncoding, outer.contentEncoding].filter((name) => name !== undefined);
  return {
    encode: both,
    contentEncoding: names.length > 0 ? names.join(', ') : undefined,
    contentType: outer.contentType ?? contentType,
  };
}
