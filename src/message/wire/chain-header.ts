import { MessageTooLargeError, UndecodableError } from '../../errors.js';
import type { Duration } from '../../util/duration.js';
import type { ChainStep, StepFailure } from '../chain.js';
import type { ExchangeOption } from '../exchange-option.js';
import { checkHeaders, HEADER, HEADERS_CAP_BYTES } from '../headers.js';
import type { Headers } from '../message.js';
import { routingKeyProblem } from '../routing-key.js';
import { type BatchPlace, decodePlace } from './batch-header.js';
import { decodeHeaders, encodeHeaders } from './header-codec.js';

/*
 * The header `hopline-chain`, as JSON: the part of a chain that travels with the message of its current step.
 * The format is a promise: whoever changes it incompatibly raises `v`.
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
  readonly batch?: BatchPlace | undefined;
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

/** @throws Error for what {@link encodeChain} never writes */
export function chainOfText(text: unknown): ChainState {
  if (typeof text !== 'string') throw new Error('expected a string');
  return decodeChain(JSON.parse(text));
}

function decodeChain(given: unknown): ChainState {
  const chain = objectOf(given, 'it');
  if (chain.v !== VERSION) throw new Error(`expected v to be ${VERSION}`);
  const { id, number, rest, onFailure, result, encryptedResult, failure, finished, batch } = chain;
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
    ...(batch === undefined ? {} : { batch: decodePlace(batch) }),
  };
}

/** @throws Error for what {@link encodeStep} never writes */
export function decodeStep(given: unknown, path: string): StepMessage {
  const step = objectOf(given, path);
  const problem = routingKeyProblem(step.key);
  if (problem) throw new Error(`${path}: ${problem}`);
  const key = step.key as string;
  const type = step.type ?? key;
  if (typeof type !== 'string') throw new Error(`expected ${path}.type to be a string`);
  const { encrypted, contentEncoding } = step;
  if (encrypted !== undefined && typeof encrypted !== 'string')
    throw new Error(`expected ${path}.encrypted to be a string`);
  if (contentEncoding !== undefined && typeof contentEncoding !== 'string')
    throw new Error(`expected ${path}.contentEncoding to be a string`);
  const marks = {
    ...(encrypted === undefined ? {} : { encrypted }),
    ...(contentEncoding === undefined ? {} : { contentEncoding }),
  };
  return { key, type, ...decodeBody(step, path), ...marks, options: decodeOptions(step, path) };
}

function decodeSealed(given: unknown): SealedResult {
  const { header, body } = objectOf(given, 'encryptedResult');
  if (typeof header !== 'string' || typeof body !== 'string')
    throw new Error('expected encryptedResult to have a header and a body');
  return { header, body: Buffer.from(body, 'base64') };
}

function decodeBody(step: Record<string, unknown>, path: string): Pick<StepMessage, 'body' | 'contentType'> {
  if (step.payload !== undefined)
    return { body: Buffer.from(JSON.stringify(step.payload)), contentType: JSON_TYPE };
  const { body, contentType } = step;
  if (typeof body !== 'string' || typeof contentType !== 'string')
    throw new Error(`expected ${path} to have a payload, or a body with its contentType`);
  return { body: Buffer.from(body, 'base64'), contentType };
}

/** The values are checked when the step is sent, as for any send. */
function decodeOptions(step: Record<string, unknown>, path: string): StepOptions {
  const { correlationId, exchange, delay, at, priority, lane, expiration, replyTo, allowForeign } = step;
  if (exchange === undefined) throw new Error(`expected ${path}.exchange to be there`);
  const options = {
    exchange: exchange as ExchangeOption,
    correlationId: correlationId as string | undefined,
    delay: delay as Duration | undefined,
    at: at === undefined ? undefined : new Date(at as string),
    priority: priority as number | undefined,
    lane: lane as string | undefined,
    expiration: expiration as Duration | undefined,
    replyTo: replyTo as string | undefined,
    allowForeign: allowForeign as boolean | undefined,
    headers: step.headers === undefined ? undefined : decodeHeaders(step.headers),
  };
  const said = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as unknown as StepOptions;
}

function decodeFailure(given: unknown): StepFailure {
  const { key, number, messageId, reason, error } = objectOf(given, 'failure');
  return {
    key: String(key),
    number: Number(number),
    messageId: messageId === undefined ? undefined : String(messageId),
    reason: String(reason),
    error: String(error),
  };
}

function objectOf(given: unknown, path: string): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error(`expected ${path} to be an object`);
  return given as Record<string, unknown>;
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
