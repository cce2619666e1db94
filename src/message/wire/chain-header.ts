import { MessageTooLargeError, UndecodableError } from '../../errors.js';
import type { ChainStep, StepFailure } from '../chain.js';
import type { ExchangeOption } from '../exchange-option.js';
import { checkHeaders, HEADER, HEADERS_CAP_BYTES } from '../headers.js';
import type { Headers } from '../properties.js';
import { routingKeyProblem } from '../routing/routing-key.js';
import { type BatchPosition, decodePosition } from './batch-header.js';
import { decodeHeaders, encodeHeaders } from './header-codec.js';

/*
 * The header `hopline-chain`, as JSON: the part of a chain that travels with the message of its current step.
 * The format is a promise: whoever changes it incompatibly raises `v`.
 *
 * Checks are by hand, not by a schema library. Each message of a chain has all later steps read, of which most is
 * making bytes, dates and headers of JSON: a schema needs the same functions for that, so it is no shorter, and with
 * valibot the reading of four steps takes a third longer. An error must not quote a payload, either, as the messages
 * of such libraries do.
 */

const VERSION = 1;

/** Publish options of a step, resolved except for the moment. */
export type StepOptions = Omit<ChainStep, 'definition' | 'payload' | 'key' | 'exchange' | 'encrypted'> & {
  readonly exchange: ExchangeOption;
};

/** A step as a message: its payload is bytes, and its destination is resolved. */
export interface StepMessage {
  readonly key: string;
  readonly type: string;
  readonly body: Buffer;
  readonly contentType: string;
  /** Encodings of the body, as the property `contentEncoding` names them. */
  readonly contentEncoding?: string | undefined;
  /** Value of the header `hopline-encrypted`, if the body is encrypted. */
  readonly encrypted?: string | undefined;
  readonly options: StepOptions;
}

/** Encrypted result of a step: the JSON as ciphertext, and the header that describes the encryption. */
export interface SealedResult {
  readonly body: Buffer;
  readonly header: string;
}

/** A chain at one of its steps. */
export interface ChainState {
  readonly id: string;
  /** Number of the current step, starting at 1. */
  readonly number: number;
  readonly rest: readonly StepMessage[];
  readonly onFailure: StepMessage | undefined;
  /** Result that the previous step passed on; decrypted, if it was encrypted. */
  readonly result: unknown;
  /** Travels instead of the result, if that is encrypted. */
  readonly sealedResult?: SealedResult | undefined;
  /** Set in a failure step. */
  readonly failure: StepFailure | undefined;
  /** True if the message itself is handled, and only its next step could not be sent. */
  readonly finished: boolean;
  /** Job of a batch, if the chain is one. */
  readonly batch?: BatchPosition | undefined;
}

const JSON_TYPE = 'application/json';

export function encodeChain(state: ChainState): string {
  const { id, number, rest, onFailure, result, sealedResult, failure, finished, batch } = state;
  return JSON.stringify({
    v: VERSION,
    id,
    number,
    rest: rest.map(encodeStep),
    ...(onFailure ? { onFailure: encodeStep(onFailure) } : {}),
    ...(sealedResult ? { encryptedResult: encodeSealed(sealedResult) } : { result }),
    failure,
    ...(finished ? { finished } : {}),
    batch,
  });
}

const encodeSealed = ({ body, header }: SealedResult) => ({ header, body: body.toString('base64') });

/** A step as part of a JSON text: the chain's header, or a row of a store or an outbox. */
export function encodeStep(step: StepMessage): object {
  const { key, type, body, contentType, contentEncoding, encrypted, options } = step;
  const { headers, ...rest } = options;
  return {
    key,
    ...(type === key ? {} : { type }),
    ...encodeBody(body, contentType),
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
    ...(encrypted === undefined ? {} : { encrypted }),
    ...rest,
    ...(headers ? { headers: encodeHeaders(headers) } : {}),
  };
}

/** As plain JSON if that gives the same bytes back: readable, and the smallest form. */
function encodeBody(body: Buffer, contentType: string): object {
  if (contentType === JSON_TYPE) {
    const text = body.toString();
    try {
      const payload: unknown = JSON.parse(text);
      if (JSON.stringify(payload) === text) return { payload };
    } catch {
      // Another serializer may use JSON's content type for something else.
    }
  }
  return { body: body.toString('base64'), contentType };
}

/**
 * Chain that a message belongs to; undefined if there is none.
 *
 * @returns an error for an unreadable header, since the caller decides the message's outcome
 */
export function chainIn(headers: Readonly<Headers>): ChainState | UndecodableError | undefined {
  const text = headers[HEADER.chain];
  if (text === undefined) return undefined;
  try {
    return chainOfText(text);
  } catch (error) {
    // The parser's own message quotes the text, which may hold secrets.
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    return new UndecodableError(
      `the rest of the message's chain can't be read: ${why}`,
      `Look at the header ${HEADER.chain} in the dead-letter queue, and upgrade this service if a newer Hopline wrote it.`,
    );
  }
}

/** @throws Error for text that {@link encodeChain} never writes */
export function chainOfText(text: unknown): ChainState {
  if (typeof text !== 'string') throw new Error('expected a string');
  return decodeChain(JSON.parse(text));
}

function decodeChain(json: unknown): ChainState {
  const { v, id, number, rest, onFailure, result, encryptedResult, failure, finished, batch } = objectOf(
    json,
    'it',
  );
  if (v !== VERSION) throw new Error(`expected v to be ${VERSION}`);
  if (typeof id !== 'string' || id === '') throw new Error('expected id to be a non-empty string');
  if (!Number.isSafeInteger(number) || Number(number) < 1) throw new Error('expected number to be 1 or more');
  if (!Array.isArray(rest)) throw new Error('expected rest to be a list');
  return {
    id,
    number: Number(number),
    rest: rest.map((step, index) => decodeStep(step, `rest[${index}]`)),
    onFailure: onFailure === undefined ? undefined : decodeStep(onFailure, 'onFailure'),
    result,
    ...(encryptedResult === undefined ? {} : { sealedResult: decodeSealed(encryptedResult) }),
    failure: failure === undefined ? undefined : decodeFailure(failure),
    finished: finished === true,
    ...(batch === undefined ? {} : { batch: decodePosition(batch) }),
  };
}

/** @throws Error for JSON that {@link encodeStep} never writes */
export function decodeStep(json: unknown, path: string): StepMessage {
  const step = objectOf(json, path);
  const problem = routingKeyProblem(step.key);
  if (problem) throw new Error(`${path}: ${problem}`);
  const key = step.key as string;
  const type = textOf(step.type ?? key, `${path}.type`);
  return {
    ...{ key, type, ...decodeBody(step, path) },
    ...(step.encrypted === undefined ? {} : { encrypted: textOf(step.encrypted, `${path}.encrypted`) }),
    ...(step.contentEncoding === undefined
      ? {}
      : { contentEncoding: textOf(step.contentEncoding, `${path}.contentEncoding`) }),
    options: decodeOptions(step, path),
  };
}

function decodeSealed(json: unknown): SealedResult {
  const { header, body } = objectOf(json, 'encryptedResult');
  return {
    header: textOf(header, 'encryptedResult.header'),
    body: Buffer.from(textOf(body, 'encryptedResult.body'), 'base64'),
  };
}

function decodeBody(step: JsonObject, path: string): Pick<StepMessage, 'body' | 'contentType'> {
  const { payload, body, contentType } = step;
  if (payload !== undefined) return { body: Buffer.from(JSON.stringify(payload)), contentType: JSON_TYPE };
  if (typeof body !== 'string' || typeof contentType !== 'string')
    throw new Error(`expected ${path} to have a payload, or a body with its contentType`);
  return { body: Buffer.from(body, 'base64'), contentType };
}

/** Options as they are in the JSON; `at` and `headers` have a form of their own there. */
const PLAIN_OPTIONS: readonly Exclude<keyof StepOptions, 'at' | 'headers'>[] = [
  'exchange',
  'queue',
  'correlationId',
  'delay',
  'priority',
  'lane',
  'expiration',
  'replyTo',
  'allowForeignExchange',
];

/** The values are checked when the step is sent, as for any send. */
function decodeOptions(step: JsonObject, path: string): StepOptions {
  const { exchange, at, headers } = step;
  if (exchange === undefined) throw new Error(`expected ${path}.exchange to be there`);
  const options: JsonObject = {};
  for (const name of PLAIN_OPTIONS) if (step[name] !== undefined) options[name] = step[name];
  if (at !== undefined) options.at = new Date(at as string);
  if (headers !== undefined) options.headers = decodeHeaders(headers);
  return options as unknown as StepOptions;
}

function decodeFailure(json: unknown): StepFailure {
  const { key, number, messageId, reason, error } = objectOf(json, 'failure');
  return {
    key: String(key),
    number: Number(number),
    messageId: messageId === undefined ? undefined : String(messageId),
    reason: String(reason),
    error: String(error),
  };
}

type JsonObject = Record<string, unknown>;

function objectOf(json: unknown, path: string): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw new Error(`expected ${path} to be an object`);
}

function textOf(json: unknown, path: string): string {
  if (typeof json === 'string') return json;
  throw new Error(`expected ${path} to be a string`);
}

/**
 * Headers of a step, with the chain's own.
 *
 * @param encrypted value of the step's header about its encryption
 * @throws MessageTooLargeError if they take more than a publisher's headers may
 */
export function withChain(
  headers: Readonly<Headers> | undefined,
  state: ChainState,
  encrypted?: string | undefined,
): Headers {
  const chain = encodeChain(state);
  const all: Headers = Object.assign(Object.create(null), headers, { [HEADER.chain]: chain });
  if (encrypted !== undefined) all[HEADER.encrypted] = encrypted;
  try {
    checkHeaders(all);
  } catch (error) {
    if (!(error instanceof MessageTooLargeError)) throw error;
    throw new MessageTooLargeError(
      `step ${state.number} of a chain can't carry the ${state.rest.length} after it: their payloads and the result passed on take ${Buffer.byteLength(chain)} bytes; with the step's own headers the cap is ${HEADERS_CAP_BYTES}`,
      'Store the data elsewhere and give the steps references to it, or let a late step append the following ones.',
      { cause: error },
    );
  }
  return all;
}
