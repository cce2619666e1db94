import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OptionsError } from '../../errors.js';
import { type Fields, flag, isPlainObject, problemsOf, show } from '../../util/check.js';
import {
  defineMessage,
  isMessageDefinition,
  type MessageDefinition,
  standardSchema,
} from '../define-message.js';
import { routingKeyProblem } from '../routing/routing-key.js';

/**
 * A request's routing key, with the types of what is asked and of what is replied, and the schemas that check them.
 *
 * @typeParam Key the routing key
 * @typeParam Input payload that requesters give
 * @typeParam Output payload that the responder gets: the schema's output
 * @typeParam ReplyInput what the responder returns
 * @typeParam Reply what requesters get: the reply schema's output
 */
export interface RequestDefinition<
  Key extends string = string,
  Input = unknown,
  Output = Input,
  ReplyInput = unknown,
  Reply = ReplyInput,
> extends MessageDefinition<Key, Input, Output> {
  /** Definition of the replies, by which they are checked and named in errors; its schema is undefined if none was given. */
  readonly reply: MessageDefinition<string, ReplyInput, Reply>;
}

/** Schemas and options of a request. */
export interface DefineRequestOptions<
  Input = unknown,
  Output = Input,
  ReplyInput = unknown,
  Reply = ReplyInput,
> {
  /** Schema of the payload, any Standard Schema. @default none: only the compiler checks it */
  request?: StandardSchemaV1<Input, Output> | undefined;
  /** Schema of the reply. @default none: only the compiler checks it */
  reply?: StandardSchemaV1<ReplyInput, Reply> | undefined;
  /** Encrypts requests and their replies with the `encryption` of the buses. @default false */
  encrypted?: boolean;
}

const FIELDS: Fields = { request: standardSchema, reply: standardSchema, encrypted: flag };

/**
 * Names a request, and types what is asked and what is replied. Both sides validate both: `request()` before anything is
 * sent, the responder before its handler runs, and again what that returns, and `request()` what comes back. Payload and reply
 * travel as given, not as the schemas' output.
 *
 * @param key a routing key, without wildcards
 * @throws OptionsError for an invalid key or option
 */
export function defineRequest<const Key extends string, Input, Output, ReplyInput, Reply>(
  key: Key,
  options: DefineRequestOptions<Input, Output, ReplyInput, Reply>,
): RequestDefinition<Key, Input, Output, ReplyInput, Reply>;
export function defineRequest<Payload, Reply, const Key extends string = string>(
  key: Key,
  options?: { encrypted?: boolean },
): RequestDefinition<Key, Payload, Payload, Reply, Reply>;
export function defineRequest(key: string, options: DefineRequestOptions = {}): RequestDefinition {
  const problem = routingKeyProblem(key);
  const problems = problem ? [problem] : [];
  problems.push(
    ...(isPlainObject(options)
      ? problemsOf(options, '', FIELDS)
      : [`expected its options to be an object, got ${show(options)}`]),
  );
  if (problems.length > 0) throw new OptionsError(`defineRequest('${key}')`, problems);
  const { request, reply, encrypted } = options;
  return Object.freeze({
    ...defineMessage(key, request as StandardSchemaV1, { ...(encrypted ? { encrypted } : {}) }),
    reply: Object.freeze({ key: `${key} (reply)`, schema: reply }),
  });
}

export function isRequestDefinition(value: unknown): value is RequestDefinition {
  return isMessageDefinition(value) && isMessageDefinition((value as Partial<RequestDefinition>).reply);
}
